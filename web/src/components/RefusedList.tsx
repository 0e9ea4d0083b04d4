import './refused-list.css';
import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { type Advice, adviceFor, isAdviceCode } from '../upload/advice.ts';
import type { Photo } from '../api/schemas.ts';
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
          const canAppeal = mayAppeal(tile);
          return (
            <li key={tile.viewKey} className="refused__one">
              <span className="refused__frame">
                <TilePicture tile={tile} alt="" />
              </span>
              <div className="refused__words">
                <p className="refused__name">{name}</p>
                <p>
                  <strong>{reason.what}</strong> {reason.next}
                </p>
                {tile.photo?.appeal && <AppealNote {...tile.photo.appeal} />}
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

/** How the last second look went, and whether there can be another. */
function AppealNote({ outcome, left }: NonNullable<Photo['appeal']>) {
  if (outcome !== 'refused') return null;
  const more =
    left === 0
      ? 'The decision stands: upload another photo instead.'
      : `You can ask ${left === 1 ? 'once more' : `${left} more times`}.`;
  return <p className="soft small">Somebody looked again, and it stayed like this. {more}</p>;
}

/** Content is a matter of opinion; bytes that are no photo are not. */
function mayAppeal({ photo }: Tile): boolean {
  if (photo?.appeal?.left === 0) return false;
  if (photo?.state === 'taken_down') return true;
  const code = photo?.reason?.code ?? '';
  return photo?.state === 'rejected' && (APPEALABLE.includes(code) || !isAdviceCode(code));
}

const APPEALABLE: readonly string[] = ['CONTENT_REJECTED', 'BANNED_IMAGE'];

/** Where a person or the content check has decided, their own words come before the general ones. */
function explain({ photo, upload }: Tile): Advice {
  const reason = photo?.reason ?? upload?.problem ?? null;
  if (reason === null) return adviceFor('INTERNAL');
  const isKnown = isAdviceCode(reason.code);
  const advice = adviceFor(isKnown ? reason.code : 'CONTENT_REJECTED');
  const hasOwnWords = reason.message !== null && (!isKnown || reason.code === 'CONTENT_REJECTED');
  if (!hasOwnWords) return advice;
  // The words of the list of reasons say what to do next as well.
  const next = photo?.reason?.reasonCode === undefined ? advice.next : '';
  return { ...advice, what: reason.message ?? advice.what, next };
}
