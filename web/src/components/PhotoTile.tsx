import {
  IconArchiveOff,
  IconGripVertical,
  IconPhoto,
  IconShieldCheck,
  IconTextCaption,
  IconTrash,
} from '@tabler/icons-react';
import type { KeyboardEvent, PointerEvent } from 'react';
import { isPublic } from '../../../src/domain/file-state.ts';
import { warningNotes } from '../upload/stage-words.ts';
import type { Tile } from '../upload/tiles.ts';
import { PhotoImage } from './PhotoImage.tsx';
import { TileStatus } from './TileStatus.tsx';
import { usePreview } from './use-preview.ts';

interface PhotoTileProps {
  readonly tile: Tile;
  readonly index: number;
  readonly count: number;
  readonly isGrabbed: boolean;
  readonly canMove: boolean;
  readonly onDelete: () => void;
  readonly onDescribe: () => void;
  readonly onRestore: () => void;
  readonly onPrivacy: () => void;
  readonly onHandleKeyDown: (event: KeyboardEvent) => void;
  readonly onDragStart: (event: PointerEvent, from: 'handle' | 'photo') => void;
}

export function PhotoTile({ tile, index, count, ...props }: PhotoTileProps) {
  const { photo, upload } = tile;
  const name = photo?.alt ?? `photo ${index + 1} of ${count}`;
  const notes = [upload?.notice, ...warningNotes(photo?.warnings ?? [])].filter((note) => note != null);
  return (
    <li className="tile" data-photo={tile.key} data-grabbed={props.isGrabbed}>
      <div
        className="tile__frame"
        data-movable={props.canMove}
        onPointerDown={(event) => props.canMove && props.onDragStart(event, 'photo')}
      >
        <TilePicture tile={tile} alt={photo?.alt ?? ''} />
        {index === 0 && photo !== null && <span className="tile__cover">Cover</span>}
        <TileStatus tile={tile} />
      </div>
      <div className="tile__tools">
        {props.canMove && (
          <button
            type="button"
            className="tile__tool tile__tool--grip"
            data-handle
            aria-label={`Move ${name}`}
            aria-describedby="reorder-help"
            aria-pressed={props.isGrabbed}
            onKeyDown={props.onHandleKeyDown}
            onPointerDown={(event) => props.onDragStart(event, 'handle')}
          >
            <IconGripVertical size={20} aria-hidden />
          </button>
        )}
        {photo !== null && (
          <button
            type="button"
            className="tile__tool"
            aria-label={photo.alt ? `Change the description of ${name}` : `Describe ${name}`}
            data-done={photo.alt !== null && photo.alt !== ''}
            onClick={props.onDescribe}
          >
            <IconTextCaption size={20} aria-hidden />
          </button>
        )}
        {photo?.archive === 'archived' && (
          <button
            type="button"
            className="tile__tool"
            aria-label={`Bring back the full size of ${name}`}
            onClick={props.onRestore}
          >
            <IconArchiveOff size={20} aria-hidden />
          </button>
        )}
        <button
          type="button"
          className="tile__tool"
          data-delete
          aria-label={`Delete ${name}`}
          onClick={props.onDelete}
        >
          <IconTrash size={20} aria-hidden />
        </button>
      </div>
      {notes.map((note) => (
        <p key={note} className="tile__note">
          {note}
        </p>
      ))}
      {photo !== null && isPublic(photo.state) && (
        <button
          type="button"
          className="tile__privacy"
          aria-label={`Privacy of ${name}`}
          onClick={props.onPrivacy}
        >
          <IconShieldCheck size={16} aria-hidden /> Privacy
        </button>
      )}
    </li>
  );
}

/** The photo itself; until its sizes are made, the chosen file; a quiet tile where the browser cannot show that. */
export function TilePicture({ tile, alt }: { tile: Tile; alt: string }) {
  const { photo, upload } = tile;
  const preview = usePreview(upload?.file ?? null);
  const hasSizes = photo !== null && isPublic(photo.state) && photo.variants.thumbnail !== undefined;
  return (
    <>
      {preview !== null && <img className="tile__preview" src={preview} alt="" draggable={false} />}
      {preview === null && !hasSizes && (
        <span className="tile__neutral">
          <IconPhoto size={34} stroke={1.2} aria-hidden />
          <span>{upload?.file.name ?? ''}</span>
        </span>
      )}
      {photo !== null && (hasSizes || (preview === null && photo.placeholder !== null)) && (
        <PhotoImage photo={photo} alt={alt} sizes="(min-width: 900px) 240px, 46vw" />
      )}
    </>
  );
}
