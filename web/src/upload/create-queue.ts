import { call } from '../api/client.ts';
import { type Photo, PhotoSchema, ReservationSchema } from '../api/schemas.ts';
import { prepareFile } from './prepare.ts';
import { createResumeStore } from './resume-store.ts';
import { sendByTus } from './send-tus.ts';
import { type Upload, UploadQueue } from './upload-queue.ts';

/** The queue of one listing, over the real service. */
export function createItemQueue(itemId: string, onSent: (upload: Upload, photo: Photo) => void): UploadQueue {
  return new UploadQueue(
    {
      prepare: prepareFile,
      async reserve(file, signal) {
        const type = file.blob.type === '' ? 'application/octet-stream' : file.blob.type;
        const body = {
          kind: 'item_photo',
          itemId,
          filename: file.name.slice(-200),
          bytes: file.blob.size,
          type,
        };
        const reserved = await call('/v1/uploads', ReservationSchema, { method: 'POST', body, signal });
        // The service serves this page: its path is right under whatever name the page was opened.
        return { id: reserved.id, url: new URL(reserved.tus.url, location.href).pathname };
      },
      send: sendByTus,
      complete: (id, signal) =>
        call(`/v1/uploads/${id}/complete`, PhotoSchema, {
          method: 'POST',
          headers: { prefer: 'respond-async' },
          signal,
        }),
      pause: pauseOrOnline,
    },
    { resume: createResumeStore(localStorage, itemId), onSent },
  );
}

function pauseOrOnline(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
