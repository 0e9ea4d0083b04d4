import './photo-stage.css';
import { IconChevronLeft, IconChevronRight, IconZoomIn } from '@tabler/icons-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { Photo } from '../api/schemas.ts';
import { PhotoImage } from './PhotoImage.tsx';

interface PhotoStageProps {
  readonly photos: readonly Photo[];
  readonly title: string;
  readonly onZoom: (index: number) => void;
}

/** Large photos to swipe or click through, with a strip of small ones under them. */
export function PhotoStage({ photos, title, onZoom }: PhotoStageProps) {
  const track = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState(0);
  const show = (wanted: number) => {
    const next = Math.max(0, Math.min(wanted, photos.length - 1));
    const element = track.current;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    element?.scrollTo({
      left: next * element.clientWidth,
      behavior: calm || Math.abs(next - index) > 1 ? 'instant' : 'smooth',
    });
    setIndex(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') show(index - 1);
    else if (event.key === 'ArrowRight') show(index + 1);
    else return;
    event.preventDefault();
  };
  return (
    <section className="stage" aria-label="Photos" aria-roledescription="carousel" onKeyDown={onKeyDown}>
      <div className="stage__frame">
        <div
          className="stage__track"
          ref={track}
          onScroll={({ currentTarget: { scrollLeft, clientWidth } }) =>
            setIndex(Math.round(scrollLeft / clientWidth))
          }
        >
          {photos.map((photo, at) => (
            <button
              key={photo.id}
              type="button"
              className="stage__photo"
              tabIndex={at === index ? 0 : -1}
              aria-label={`${describePhoto(photo, title, at, photos.length)}. Open large`}
              onClick={() => onZoom(at)}
            >
              <PhotoImage
                photo={photo}
                alt=""
                fit="contain"
                sizes="(min-width: 1240px) 800px, (min-width: 860px) 62vw, 94vw"
                eager={at === 0}
              />
            </button>
          ))}
        </div>
        {photos.length > 1 && (
          <>
            <StageButton
              label="Previous photo"
              side="left"
              disabled={index === 0}
              onClick={() => show(index - 1)}
            />
            <StageButton
              label="Next photo"
              side="right"
              disabled={index === photos.length - 1}
              onClick={() => show(index + 1)}
            />
          </>
        )}
        <span className="stage__count">
          <IconZoomIn size={16} aria-hidden />
          {index + 1} / {photos.length}
        </span>
      </div>
      {photos.length > 1 && (
        <ul className="stage__strip" aria-label="All photos">
          {photos.map((photo, at) => (
            <li key={photo.id}>
              <button
                type="button"
                className="stage__thumb"
                aria-current={at === index}
                aria-label={`Show ${describePhoto(photo, title, at, photos.length)}`}
                onClick={() => show(at)}
              >
                <PhotoImage photo={photo} alt="" sizes="80px" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The seller's description, else what is certain. */
export function describePhoto(photo: Photo, title: string, index: number, count: number): string {
  return photo.alt ? photo.alt : `${title}, photo ${index + 1} of ${count}`;
}

function StageButton(props: {
  label: string;
  side: 'left' | 'right';
  disabled: boolean;
  onClick: () => void;
}) {
  const Icon = props.side === 'left' ? IconChevronLeft : IconChevronRight;
  return (
    <button
      type="button"
      className={`stage__step stage__step--${props.side}`}
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon size={24} aria-hidden />
    </button>
  );
}
