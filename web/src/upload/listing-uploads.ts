import type { QueryClient } from '@tanstack/react-query';
import type { Gallery, Photo } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { createItemQueue } from './create-queue.ts';
import { PendingDeletes } from './pending-deletes.ts';
import type { UploadQueue } from './upload-queue.ts';

const queues = new Map<string, UploadQueue>();

/** The queue of a listing; it goes on while other pages are shown. */
export function uploadsOf(itemId: string, queryClient: QueryClient): UploadQueue {
  const present = queues.get(itemId);
  if (present) return present;
  const queue = createItemQueue(itemId, (upload, photo) => {
    if (photo.id !== upload.photoId) showToast(`“${upload.file.name}” is in this listing already.`);
    queryClient.setQueryData<Gallery>(galleryKey(itemId), (gallery) => upsertPhoto(gallery, photo));
    void queryClient.invalidateQueries({ queryKey: galleryKey(itemId) });
  });
  queues.set(itemId, queue);
  return queue;
}

export function galleryKey(itemId: string): readonly string[] {
  return ['gallery', itemId];
}

/** The gallery with what is newly known about one of its photos. */
export function upsertPhoto(gallery: Gallery | undefined, photo: Photo): Gallery | undefined {
  if (gallery === undefined) return undefined;
  const isKnown = gallery.photos.some((each) => each.id === photo.id);
  const photos = isKnown
    ? gallery.photos.map((each) => (each.id === photo.id ? photo : each))
    : [...gallery.photos, photo];
  return { ...gallery, photos: photos.toSorted((a, b) => place(a) - place(b)) };
}

function place(photo: Photo): number {
  return photo.position ?? Number.MAX_SAFE_INTEGER;
}

/** Deletions that can still be undone, of all listings. Leaving the page does them. */
export const pendingDeletes = new PendingDeletes();
addEventListener('pagehide', () => pendingDeletes.flush());
