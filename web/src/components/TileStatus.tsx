import { IconArchive, IconCheck, IconClockPause, IconEye } from '@tabler/icons-react';
import { adviceFor } from '../upload/advice.ts';
import { stageProgress, stageWords } from '../upload/stage-words.ts';
import type { Tile } from '../upload/tiles.ts';
import { ARCHIVE_WORDS } from './words.ts';

/** How far a photo is, in words and as a bar; nothing once it is ready and at hand. */
export function TileStatus({ tile }: { tile: Tile }) {
  const now = describe(tile);
  if (now === null) return null;
  return (
    <div className="tile__status" data-tone={now.tone}>
      <span className="tile__stage">
        {now.tone === 'wait' && <IconClockPause size={16} aria-hidden />}
        {now.tone === 'review' && <IconEye size={16} aria-hidden />}
        {now.tone === 'archive' && <IconArchive size={16} aria-hidden />}
        {now.tone === 'done' && <IconCheck size={16} aria-hidden />}
        {now.words}
      </span>
      {now.share !== null && (
        <progress
          className="tile__bar"
          max={1}
          value={now.share}
          aria-label={`Progress of ${tile.upload?.file.name ?? 'photo'}`}
        />
      )}
    </div>
  );
}

interface Status {
  readonly words: string;
  /** 0 to 1, or null for no bar. */
  readonly share: number | null;
  readonly tone: 'work' | 'wait' | 'review' | 'archive' | 'done';
}

/** Sending is the first half of the bar, the service's work the second. */
function describe({ photo, upload }: Tile): Status | null {
  switch (upload?.phase) {
    case 'queued':
      return { words: 'Waiting its turn', share: 0, tone: 'work' };
    case 'preparing':
      return { words: 'Getting it ready', share: 0.02, tone: 'work' };
    case 'waiting':
      return {
        words: upload.problem ? adviceFor(upload.problem.code).what : 'Waiting',
        share: upload.progress / 2,
        tone: 'wait',
      };
    case 'sending':
      return {
        words: upload.progress < 1 ? `Sending ${Math.round(upload.progress * 100)} %` : 'Arriving',
        share: upload.progress / 2,
        tone: 'work',
      };
    case 'sent':
    case 'refused':
    case undefined:
  }
  switch (photo?.state) {
    case undefined:
      return { words: 'Arrived', share: 0.5, tone: 'work' };
    case 'pending':
      return { words: 'Choose the file again to go on', share: null, tone: 'wait' };
    case 'received':
    case 'checking':
    case 'published':
      return {
        words: stageWords(photo.state, photo.stage),
        share: 0.5 + stageProgress(photo.state === 'published' ? 'derive' : photo.stage) / 2,
        tone: 'work',
      };
    case 'in_review':
      return { words: stageWords(photo.state, null), share: null, tone: 'review' };
    case 'ready':
      return photo.archive === 'none'
        ? null
        : { words: ARCHIVE_WORDS[photo.archive].seller, share: null, tone: 'archive' };
    case 'rejected':
    case 'taken_down':
    case 'failed':
    case 'deleting':
    case 'deleted':
      return null;
  }
}
