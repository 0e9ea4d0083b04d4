import './refused-list.css';
import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { type Advice, adviceFor, isAdviceCode } from '../upload/advice.ts';
import type { Tile } from '../upload/tiles.ts';
import { TilePicture } from './PhotoTile.tsx';

interface RefusedListProps {
  readonly tiles: readonly Tile[];
  readonly onRetry: (tile: Tile) => void;
  readonly onRemove: (tile: Tile) => void;
  readonly onAppeal: (tile: Tile) => void;
}

/** Photos that were not added: which, why, and what to do about it. */
export function RefusedList({ tiles, onRetry, onRemove, onAppeal }: RefusedListProps) {
  if (tiles.length === 0) return null;
  return (
    <section className="refused" aria-labelledby="refused-title">
      <h2 id="refused-title">
        <IconAlertTriangle size={20} aria-hidden />
        {tiles.length === 1 ? 'One photo was not added' : `${tiles.length} photos were not added`}
      </h2>
      <ul className="refused__list">
        {tiles.map((tile) => {
          const reason = explain(tile);
          const name = tile.upload?.file.name ?? 'Photo';
          const canAppeal = tile.photo?.state === 'rejected' || tile.photo?.state === 'taken_down';
          return (
            <li key={tile.key} className="refused__one">
              <span className="refused__frame">
                <TilePicture tile={tile} alt="" />
              </span>
              <div className="refused__words">
                <p className="refused__name">{name}</p>
                <p>
                  <strong>{reason.what}</strong> {reason.next}
                </p>
              </div>
              <div className="row refused__do">
                {reason.retry && tile.upload !== null && (
                  <Button
                    size="sm"
                    variant="light"
                    onClick={() => onRetry(tile)}
                    aria-label={`Try ${name} again`}
                  >
                    Try again
                  </Button>
                )}
                {canAppeal && (
                  <Button
                    size="sm"
                    variant="light"
                    onClick={() => onAppeal(tile)}
                    aria-label={`Ask for a second look at ${name}`}
                  >
                    Ask for a second look
                  </Button>
                )}
                <Button
                  size="sm"
                  variant="default"
                  onClick={() => onRemove(tile)}
                  aria-label={`Remove ${name} from this list`}
                >
                  Remove
                </Button>
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** A moderator's own words come before the general ones. */
function explain({ photo, upload }: Tile): Advice {
  const reason = photo?.reason ?? upload?.problem ?? null;
  if (reason === null) return adviceFor('INTERNAL');
  if (isAdviceCode(reason.code)) return adviceFor(reason.code);
  return { ...adviceFor('CONTENT_REJECTED'), what: reason.message ?? adviceFor('CONTENT_REJECTED').what };
}
