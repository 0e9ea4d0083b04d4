import { Button } from '@mantine/core';
import { IconSparkles } from '@tabler/icons-react';
import { useState } from 'react';
import { isPublic } from '../../../src/domain/file-state.ts';
import { moveTo } from '../upload/photo-order.ts';
import type { Tile } from '../upload/tiles.ts';
import { PhotoImage } from './PhotoImage.tsx';

interface SuggestedCoverProps {
  readonly tiles: readonly Tile[];
  /** As the service says; nothing is shown once it is the first, or gone. */
  readonly suggested: string | null;
  readonly onReorder: (order: readonly string[]) => Promise<void>;
}

/** Another photo would do better as the cover: one click takes it, another one keeps things as they are. */
export function SuggestedCover({ tiles, suggested, onReorder }: SuggestedCoverProps) {
  const [kept, setKept] = useState<string | null>(null);
  const stored = tiles.flatMap(({ photo }) => photo ?? []);
  const place = stored.findIndex(({ id }) => id === suggested);
  const photo = stored[place];
  if (photo === undefined || place === 0 || photo.id === kept || !isPublic(photo.state)) return null;
  const ids = stored.map(({ id }) => id);
  return (
    <aside className="suggestion" aria-label="Suggested cover">
      <span className="suggestion__photo">
        <PhotoImage photo={photo} alt="" sizes="56px" />
      </span>
      <p>
        <IconSparkles size={18} aria-hidden />
        Photo {place + 1} would make a better cover than the first one.
      </p>
      <span className="row">
        <Button size="sm" onClick={() => void onReorder(moveTo(ids, photo.id, 0))}>
          Use it as cover
        </Button>
        <Button size="sm" variant="subtle" onClick={() => setKept(photo.id)}>
          Keep mine
        </Button>
      </span>
    </aside>
  );
}
