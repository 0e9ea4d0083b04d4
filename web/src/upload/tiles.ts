import { holdsPlace } from '../../../src/domain/file-state.ts';
import type { Photo } from '../api/schemas.ts';
import type { Upload } from './upload-queue.ts';

/** One photo of a listing as the seller sees it: what the service says, what this page is sending, or both. */
export interface Tile {
  /** The photo's id, else the upload's key. */
  readonly key: string;
  /** The same from the choice of the file to the finished photo, so that a view is not made anew in between. */
  readonly viewKey: string;
  readonly photo: Photo | null;
  readonly upload: Upload | null;
}

export interface Tiles {
  /** Photos with a place, in order, and those on their way to one. */
  readonly placed: readonly Tile[];
  /** Photos that were not added, with a reason to read. */
  readonly refused: readonly Tile[];
}

/** Brings photos and uploads together; `hidden` are those whose deletion can still be undone. */
export function arrangeTiles(
  photos: readonly Photo[],
  uploads: readonly Upload[],
  hidden: ReadonlySet<string>,
): Tiles {
  const known = new Set(photos.map((photo) => photo.id));
  const all = photos.map((photo): Tile => {
    const upload = uploads.find((each) => each.photoId === photo.id) ?? null;
    return { key: photo.id, viewKey: upload?.key ?? photo.id, photo, upload };
  });
  for (const upload of uploads) {
    // One that was sent and has no photo any more was deleted, here or elsewhere.
    if (upload.phase === 'sent') continue;
    if (upload.photoId === null || !known.has(upload.photoId))
      all.push({ key: upload.key, viewKey: upload.key, photo: null, upload });
  }
  const shown = all.filter((tile) => !hidden.has(tile.key) && !isLeaving(tile.photo));
  return { placed: shown.filter((tile) => !isRefused(tile)), refused: shown.filter(isRefused) };
}

function isRefused({ photo, upload }: Tile): boolean {
  if (upload?.phase === 'refused') return true;
  return photo !== null && !holdsPlace(photo.state);
}

function isLeaving(photo: Photo | null): boolean {
  return photo !== null && (photo.state === 'deleting' || photo.state === 'deleted');
}
