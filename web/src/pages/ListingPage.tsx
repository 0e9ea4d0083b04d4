import './listing.css';
import { Button, Skeleton } from '@mantine/core';
import { IconFlag, IconPhotoOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { isPublic } from '../../../src/domain/file-state.ts';
import { getGallery, getItem } from '../api/endpoints.ts';
import { useSession } from '../app/use-session.ts';
import { useTitle } from '../app/use-title.ts';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { PhotoStage } from '../components/PhotoStage.tsx';
import { ReportDialog } from '../components/ReportDialog.tsx';
import { countPhotos, STATUS_WORDS, timeAgo } from '../components/words.ts';
import { ZoomDialog } from '../components/ZoomDialog.tsx';

/** A listing as a buyer sees it. */
export default function ListingPage({ itemId }: { itemId: string }) {
  const session = useSession();
  const item = useQuery({ queryKey: ['item', itemId], queryFn: ({ signal }) => getItem(itemId, signal) });
  const gallery = useQuery({
    queryKey: ['gallery', itemId],
    queryFn: ({ signal }) => getGallery(itemId, signal),
  });
  const [isReporting, setReporting] = useState(false);
  const [zoomed, setZoomed] = useState<number | null>(null);
  useTitle(item.data?.title ?? 'Listing');

  if (item.isError) return <ErrorNotice error={item.error} onRetry={() => void item.refetch()} />;
  if (gallery.isError) return <ErrorNotice error={gallery.error} onRetry={() => void gallery.refetch()} />;
  if (item.isPending || gallery.isPending) return <ListingSkeleton />;
  const photos = gallery.data.photos.filter(
    (photo) => isPublic(photo.state) && Object.keys(photo.variants).length > 0,
  );
  const { title, category, status, createdAt, sellerId } = item.data;
  return (
    <div className="listing">
      {photos.length > 0 ? (
        <PhotoStage photos={photos} title={title} onZoom={setZoomed} />
      ) : (
        <EmptyState icon={<IconPhotoOff size={34} stroke={1.4} aria-hidden />} title="No photos yet">
          The seller has not added any, or they are still being checked.
        </EmptyState>
      )}
      <div className="listing__facts">
        <h1>{title}</h1>
        <p className="row">
          {status !== 'active' && <span className="chip">{STATUS_WORDS[status]}</span>}
          {category && <span className="chip">{category}</span>}
        </p>
        <dl className="listing__list">
          <dt>Listed</dt>
          <dd>{timeAgo(createdAt)}</dd>
          <dt>Photos</dt>
          <dd>{countPhotos(photos.length)}</dd>
        </dl>
        {session?.userId === sellerId && (
          <Button component={Link} href={`/sell/${itemId}`} variant="light" fullWidth>
            Change photos
          </Button>
        )}
        {session !== null && session.userId !== sellerId && photos.length > 0 && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconFlag size={16} aria-hidden />}
            onClick={() => setReporting(true)}
          >
            Report a photo
          </Button>
        )}
        <p className="soft small">
          Photos are checked before they appear, and show nothing about where they were taken.
        </p>
      </div>
      {isReporting && <ReportDialog photos={photos} onClose={() => setReporting(false)} />}
      {zoomed !== null && (
        <ZoomDialog photos={photos} title={title} start={zoomed} onClose={() => setZoomed(null)} />
      )}
    </div>
  );
}

function ListingSkeleton() {
  return (
    <div className="listing" aria-busy="true">
      <Skeleton className="listing__ghost" radius={18} />
      <div className="listing__facts">
        <span className="unseen">Loading</span>
        <Skeleton height={32} width="80%" />
        <Skeleton height={16} width="40%" />
      </div>
    </div>
  );
}
