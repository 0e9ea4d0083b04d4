import './listing-card.css';
import { IconPhoto } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { Item } from '../api/schemas.ts';
import { PhotoImage } from './PhotoImage.tsx';
import { countPhotos, STATUS_WORDS, timeAgo } from './words.ts';

interface ListingCardProps {
  readonly item: Item;
  readonly href: string;
  /** Whether the seller's own facts are shown: state and number of photos. */
  readonly own?: boolean;
  readonly eager?: boolean;
}

export function ListingCard({ item, href, own = false, eager = false }: ListingCardProps) {
  return (
    <Link href={href} className="card">
      <span className="card__frame">
        {item.cover ? (
          <PhotoImage
            photo={item.cover}
            alt=""
            sizes="(min-width: 1200px) 290px, (min-width: 700px) 30vw, 46vw"
            eager={eager}
          />
        ) : (
          <span className="card__none">
            <IconPhoto size={34} stroke={1.3} aria-hidden />
            <span>No photo yet</span>
          </span>
        )}
        {own && (
          <span className={`chip card__status ${item.status === 'active' ? 'chip--on' : ''}`}>
            {STATUS_WORDS[item.status]}
          </span>
        )}
      </span>
      <span className="card__title">{item.title}</span>
      <span className="card__facts">
        {own ? countPhotos(item.photoCount) : (item.category ?? timeAgo(item.createdAt))}
      </span>
    </Link>
  );
}
