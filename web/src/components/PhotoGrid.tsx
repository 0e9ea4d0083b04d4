import './photo-grid.css';
import { useRef } from 'react';
import type { Tile } from '../upload/tiles.ts';
import { PhotoTile } from './PhotoTile.tsx';
import { useFlip } from './use-flip.ts';
import { useReorder } from './use-reorder.ts';

interface PhotoGridProps {
  readonly tiles: readonly Tile[];
  readonly onReorder: (order: readonly string[]) => void;
  readonly onDelete: (tile: Tile) => void;
  readonly onDescribe: (tile: Tile) => void;
  readonly onRestore: (tile: Tile) => void;
  readonly onPrivacy: (tile: Tile) => void;
}

/** The seller's photos in order; the first is the cover. Those still being sent follow and cannot be moved yet. */
export function PhotoGrid({ tiles, onReorder, onDelete, ...props }: PhotoGridProps) {
  const grid = useRef<HTMLUListElement>(null);
  const stored = tiles.filter((tile) => tile.photo !== null);
  const reorder = useReorder(
    stored.map((tile) => tile.key),
    grid,
    onReorder,
  );
  const sorted = reorder.order.flatMap((id) => stored.find((tile) => tile.key === id) ?? []);
  const all = [...sorted, ...tiles.filter((tile) => tile.photo === null)];
  useFlip(grid, all.map((tile) => tile.viewKey).join());

  const removeAndMoveOn = (tile: Tile) => {
    const next = all[all.indexOf(tile) + 1] ?? all[all.indexOf(tile) - 1];
    const place =
      next && grid.current?.querySelector<HTMLElement>(`[data-photo="${next.key}"] [data-delete]`);
    onDelete(tile);
    (place ?? document.getElementById('content'))?.focus();
  };
  return (
    <>
      <p id="reorder-help" className="unseen">
        Press space to take the photo, arrows to move it, space to drop it, Escape to put it back.
      </p>
      <ul
        className="grid"
        ref={grid}
        aria-label="Photos of this listing"
        data-dragging={reorder.grabbed !== null}
      >
        {all.map((tile, index) => (
          <PhotoTile
            key={tile.viewKey}
            tile={tile}
            index={index}
            count={all.length}
            isGrabbed={reorder.grabbed === tile.key}
            canMove={tile.photo !== null && sorted.length > 1}
            onDelete={() => removeAndMoveOn(tile)}
            onDescribe={() => props.onDescribe(tile)}
            onRestore={() => props.onRestore(tile)}
            onPrivacy={() => props.onPrivacy(tile)}
            onHandleKeyDown={(event) => reorder.handleKeyDown(tile.key, event)}
            onDragStart={(event, from) => reorder.startDrag(tile.key, event, from)}
          />
        ))}
      </ul>
      <p className="unseen" aria-live="assertive">
        {reorder.announcement}
      </p>
    </>
  );
}
