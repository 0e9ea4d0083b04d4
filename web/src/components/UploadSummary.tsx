import { isUnfinished } from '../../../src/domain/file-state.ts';
import type { Tile } from '../upload/tiles.ts';
import { countPhotos } from './words.ts';

/** One line over the grid, read out as it changes: how many photos, how many still at work. */
export function UploadSummary({ tiles }: { tiles: readonly Tile[] }) {
  if (tiles.length === 0) return null;
  const working = tiles.filter(isAtWork).length;
  return (
    <div className="edit__bar">
      <h2 aria-live="polite">
        {countPhotos(tiles.length)}
        {working > 0 && <span className="soft"> · {working} at work</span>}
      </h2>
      {tiles.length > 1 && (
        <p className="soft small">Drag to change the order. The first one is the cover.</p>
      )}
    </div>
  );
}

function isAtWork({ photo, upload }: Tile): boolean {
  if (upload !== null && upload.phase !== 'sent') return true;
  return photo !== null && photo.state !== 'pending' && isUnfinished(photo.state);
}
