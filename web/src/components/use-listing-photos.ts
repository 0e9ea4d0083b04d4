import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { asApiError } from '../api/api-error.ts';
import { deletePhoto, getGallery, putOrder } from '../api/endpoints.ts';
import type { Gallery, Photo } from '../api/schemas.ts';
import { watchItem } from '../api/watch-item.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { galleryKey, pendingDeletes, uploadsOf, upsertPhoto } from '../upload/listing-uploads.ts';
import { laterOf, mergeOrder } from '../upload/photo-order.ts';
import { arrangeTiles, type Tile } from '../upload/tiles.ts';

/** Everything the seller's page knows and does about the photos of a listing. */
export function useListingPhotos(itemId: string) {
  const client = useQueryClient();
  const queue = uploadsOf(itemId, client);
  const uploads = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const hidden = useSyncExternalStore(pendingDeletes.subscribe, pendingDeletes.snapshot);
  const key = galleryKey(itemId);
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const arrived = await getGallery(itemId, signal);
      return laterOf(client.getQueryData<Gallery>(key), arrived);
    },
  });

  useEffect(() => {
    const controller = new AbortController();
    const watched = galleryKey(itemId);
    void watchItem(
      itemId,
      {
        photo: (photo) => {
          client.setQueryData<Gallery>(watched, (gallery) => upsertPhoto(gallery, photo));
          // Measured by now: which one suits best as the cover may have changed.
          if (photo.state === 'ready') void client.invalidateQueries({ queryKey: watched });
        },
        stale: () => void client.invalidateQueries({ queryKey: watched }),
      },
      controller.signal,
    );
    return () => {
      controller.abort();
      pendingDeletes.flush();
      void client.invalidateQueries({ queryKey: ['items'] });
    };
  }, [itemId, client]);

  const photos = query.data?.photos;
  const tiles = useMemo(() => arrangeTiles(photos ?? [], uploads, hidden), [photos, uploads, hidden]);

  const remove = (tile: Tile) => {
    const { photo, upload } = tile;
    if (photo === null) {
      if (upload) queue.remove(upload.key);
      if (upload?.photoId) void deletePhoto(upload.photoId).catch(() => undefined);
      return;
    }
    pendingDeletes.schedule(photo.id, async () => {
      try {
        await deletePhoto(photo.id);
      } catch (error) {
        if (asApiError(error).code !== 'NOT_FOUND') {
          showToast(`The photo was not deleted. ${adviceFor(asApiError(error).code).what}`, { tone: 'bad' });
          throw error;
        }
      }
      if (upload) queue.remove(upload.key);
      client.setQueryData<Gallery>(key, (gallery) => without(gallery, photo.id));
      await client.invalidateQueries({ queryKey: key });
    });
    showToast('Photo deleted.', { action: { label: 'Undo', run: () => void pendingDeletes.undo(photo.id) } });
  };

  /** Shows the new order at once, then stores it; when somebody else was faster, over what is there now. */
  const reorder = async (visible: readonly string[]) => {
    const gallery = client.getQueryData<Gallery>(key);
    if (gallery === undefined) return;
    await client.cancelQueries({ queryKey: key });
    client.setQueryData<Gallery>(key, { ...gallery, photos: inOrder(gallery.photos, visible) });
    try {
      client.setQueryData<Gallery>(key, await store(gallery, visible));
    } catch (error) {
      showToast(`The order was not saved. ${adviceFor(asApiError(error).code).what}`, { tone: 'bad' });
      await client.invalidateQueries({ queryKey: key });
    }
  };

  const store = async (gallery: Gallery, wanted: readonly string[]): Promise<Gallery> => {
    try {
      return await putOrder(itemId, mergeOrder(wanted, placedIds(gallery)), gallery.version);
    } catch (error) {
      if (asApiError(error).code !== 'VERSION_CONFLICT') throw error;
      const fresh = await getGallery(itemId);
      const stored = await putOrder(itemId, mergeOrder(wanted, placedIds(fresh)), fresh.version);
      if (placedIds(fresh).length !== placedIds(gallery).length)
        showToast('The photos changed meanwhile. Your order was kept, new ones are at the end.');
      return stored;
    }
  };

  return { query, queue, tiles, remove, reorder };
}

function placedIds(gallery: Gallery): readonly string[] {
  return gallery.photos.filter((photo) => photo.position !== null).map((photo) => photo.id);
}

function inOrder(photos: readonly Photo[], ids: readonly string[]): Photo[] {
  const rank = new Map(
    mergeOrder(
      ids,
      photos.map((photo) => photo.id),
    ).map((id, index) => [id, index]),
  );
  return photos.toSorted((a, b) => (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0));
}

function without(gallery: Gallery | undefined, id: string): Gallery | undefined {
  return gallery && { ...gallery, photos: gallery.photos.filter((photo) => photo.id !== id) };
}
