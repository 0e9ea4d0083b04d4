import './zoom-dialog.css';
import { IconChevronLeft, IconChevronRight, IconX, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import type { Photo } from '../api/schemas.ts';
import { Dialog } from './Dialog.tsx';
import { describePhoto } from './PhotoStage.tsx';
import { ThumbhashCanvas } from './ThumbhashCanvas.tsx';
import { useZoom } from './use-zoom.ts';
import { ARCHIVE_WORDS } from './words.ts';

interface ZoomDialogProps {
  readonly photos: readonly Photo[];
  readonly title: string;
  readonly start: number;
  readonly onClose: () => void;
}

/** A photo over the whole window: arrows or a swipe go on, a pinch, double tap or + comes closer, Escape closes. */
export function ZoomDialog({ photos, title, start, onClose }: ZoomDialogProps) {
  const [index, setIndex] = useState(start);
  const photo = photos[index];
  const go = (step: number) => {
    zoom.reset();
    setIndex((at) => Math.max(0, Math.min(at + step, photos.length - 1)));
  };
  const zoom = useZoom(go);
  const onKeyDown = (event: KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      '+': zoom.closer,
      '=': zoom.closer,
      '-': zoom.away,
      '0': zoom.reset,
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  };
  if (photo === undefined) return null;
  return (
    <Dialog label={`${title}: large photos`} className="zoom" onClose={onClose}>
      <div className="zoom__all" onKeyDown={onKeyDown}>
        <div className="zoom__area" data-near={zoom.isNear} {...zoom.handlers}>
          <div className="zoom__sheet" ref={zoom.sheet}>
            <ZoomPicture
              key={photo.id}
              photo={photo}
              alt={describePhoto(photo, title, index, photos.length)}
            />
          </div>
        </div>
        {photo.archive !== 'none' && (
          <p className="zoom__note" role="status">
            {ARCHIVE_WORDS[photo.archive].buyer}
          </p>
        )}
        <p className="zoom__count" aria-live="polite">
          <span className="unseen">Photo </span>
          {index + 1} / {photos.length}
        </p>
        <div className="zoom__tools">
          <Tool
            label={zoom.isNear ? 'Show all of the photo' : 'Come closer'}
            onClick={zoom.isNear ? zoom.reset : zoom.closer}
          >
            {zoom.isNear ? <IconZoomOut aria-hidden /> : <IconZoomIn aria-hidden />}
          </Tool>
          <Tool label="Close" onClick={onClose}>
            <IconX aria-hidden />
          </Tool>
        </div>
        {index > 0 && (
          <Tool label="Previous photo" className="zoom__step zoom__step--left" onClick={() => go(-1)}>
            <IconChevronLeft aria-hidden />
          </Tool>
        )}
        {index < photos.length - 1 && (
          <Tool label="Next photo" className="zoom__step zoom__step--right" onClick={() => go(1)}>
            <IconChevronRight aria-hidden />
          </Tool>
        )}
      </div>
    </Dialog>
  );
}

/** The whole original, over the placeholder and the size that is in the cache already. */
function ZoomPicture({ photo, alt }: { photo: Photo; alt: string }) {
  const original = photo.variants.original;
  const url = Object.values(original?.formats ?? {})[0]?.url;
  // The placeholder's proportions are near the photo's, not the same: it goes once there is more to see.
  const [isShown, setIsShown] = useState(false);
  const shown = () => setIsShown(true);
  return (
    <>
      {photo.placeholder && !isShown && (
        <ThumbhashCanvas hash={photo.placeholder} className="zoom__img zoom__img--hash" />
      )}
      {photo.variants.large && (
        <img
          className="zoom__img"
          src={photo.variants.large.auto}
          alt={url ? '' : alt}
          draggable={false}
          onLoad={shown}
        />
      )}
      {url && (
        <img
          className="zoom__img"
          src={url}
          alt={alt}
          width={original?.width}
          height={original?.height}
          draggable={false}
          onLoad={shown}
        />
      )}
    </>
  );
}

function Tool(props: { label: string; className?: string; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      className={`zoom__tool ${props.className ?? ''}`}
      aria-label={props.label}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
