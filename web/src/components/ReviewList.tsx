import { useEffect, useRef } from 'react';
import type { ReviewEntry } from '../api/schemas.ts';
import { ThumbhashCanvas } from './ThumbhashCanvas.tsx';
import { timeAgo } from './words.ts';

interface ReviewListProps {
  readonly entries: readonly ReviewEntry[];
  readonly current: string;
  readonly onChoose: (id: string) => void;
}

/** What waits, the longest waiting first. Small pictures stay blurred until they are opened. */
export function ReviewList({ entries, current, onChoose }: ReviewListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current
      ?.querySelector('[aria-current="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <ul className="review__list" ref={list} aria-label="Waiting photos">
      {entries.map(({ photo, item, waitingSince }) => (
        <li key={photo.id}>
          <button
            type="button"
            className="review__one"
            aria-current={photo.id === current}
            onClick={() => onChoose(photo.id)}
          >
            <span className="review__thumb">
              {photo.placeholder && <ThumbhashCanvas hash={photo.placeholder} />}
            </span>
            <span className="review__words">
              <span className="review__title">{item?.title ?? 'Profile photo'}</span>
              <span className="soft small">{timeAgo(waitingSince)}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
