import './sell.css';
import { Skeleton } from '@mantine/core';
import { IconChevronLeft } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { asApiError } from '../api/api-error.ts';
import { appeal, getItem, restorePhoto, setAlt } from '../api/endpoints.ts';
import type { Gallery, Photo } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { useTitle } from '../app/use-title.ts';
import { DescribeDialog } from '../components/DescribeDialog.tsx';
import { DropZone } from '../components/DropZone.tsx';
import { ListingHead } from '../components/ListingHead.tsx';
import { ErrorNotice } from '../components/Notices.tsx';
import { PhotoGrid } from '../components/PhotoGrid.tsx';
import { PrivacyDialog } from '../components/PrivacyDialog.tsx';
import { RefusedList } from '../components/RefusedList.tsx';
import { SuggestedCover } from '../components/SuggestedCover.tsx';
import { UploadSummary } from '../components/UploadSummary.tsx';
import { useListingPhotos } from '../components/use-listing-photos.ts';
import { adviceFor } from '../upload/advice.ts';
import { galleryKey, upsertPhoto } from '../upload/listing-uploads.ts';

/** Where a seller adds, orders, describes and deletes the photos of a listing. */
export default function EditListingPage({ itemId }: { itemId: string }) {
  const item = useQuery({ queryKey: ['item', itemId], queryFn: ({ signal }) => getItem(itemId, signal) });
  useTitle(item.data?.title ?? 'Listing');
  return (
    <>
      <Link href="/sell" className="edit__crumb">
        <IconChevronLeft size={18} aria-hidden />
        My listings
      </Link>
      {item.isError && <ErrorNotice error={item.error} onRetry={() => void item.refetch()} />}
      {item.isPending && <Skeleton height={36} width="50%" mb={32} />}
      {item.data && (
        <div className="edit">
          <ListingHead item={item.data} />
          <Photos itemId={itemId} />
        </div>
      )}
    </>
  );
}

function Photos({ itemId }: { itemId: string }) {
  const client = useQueryClient();
  const { query, queue, tiles, remove, reorder } = useListingPhotos(itemId);
  const [described, setDescribed] = useState<Photo | null>(null);
  const [appealed, setAppealed] = useState<Photo | null>(null);
  const [proved, setProved] = useState<Photo | null>(null);
  const update = (photo: Photo) =>
    client.setQueryData<Gallery>(galleryKey(itemId), (gallery) => upsertPhoto(gallery, photo));

  const bringBack = async (photo: Photo) => {
    try {
      const asked = await restorePhoto(photo.id);
      update(asked);
      showToast(
        asked.archive === 'none'
          ? 'The full size is back.'
          : 'The full size is being brought back. This can take some hours.',
      );
    } catch (error) {
      showToast(`The full size was not brought back. ${adviceFor(asApiError(error).code).what}`, {
        tone: 'bad',
      });
    }
  };

  if (query.isError) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton height={220} radius={18} />;
  return (
    <>
      <DropZone onFiles={(files) => queue.add(files)} isFirst={tiles.placed.length === 0} />
      <RefusedList
        tiles={tiles.refused}
        onRetry={({ upload }) => upload && queue.retry(upload.key)}
        onRemove={remove}
        onAppeal={(tile) => setAppealed(tile.photo)}
      />
      <section className="edit__section" aria-label="Photos">
        <UploadSummary tiles={tiles.placed} />
        <SuggestedCover tiles={tiles.placed} suggested={query.data.suggestedCover} onReorder={reorder} />
        <PhotoGrid
          tiles={tiles.placed}
          onReorder={(order) => void reorder(order)}
          onDelete={remove}
          onDescribe={(tile) => setDescribed(tile.photo)}
          onRestore={({ photo }) => photo && void bringBack(photo)}
          onPrivacy={(tile) => setProved(tile.photo)}
        />
      </section>
      {described && (
        <DescribeDialog
          title="Describe this photo"
          label="What can be seen?"
          hint="Read out to people who cannot see it, and used by the search."
          initial={described.alt ?? ''}
          action="Save"
          maxLength={300}
          onSave={async (text) => update(await setAlt(described.id, text))}
          onClose={() => setDescribed(null)}
        />
      )}
      {proved && <PrivacyDialog photo={proved} onClose={() => setProved(null)} />}
      {appealed && (
        <DescribeDialog
          title="Ask for a second look"
          label="Why is this photo all right?"
          hint="A person reads this and decides."
          initial=""
          action="Send"
          maxLength={500}
          onSave={async (text) => {
            update(await appeal(appealed.id, text));
            showToast('Sent. A person will have a look.');
          }}
          onClose={() => setAppealed(null)}
        />
      )}
    </>
  );
}
