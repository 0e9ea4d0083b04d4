import './photo-image.css';
import { useState } from 'react';
import type { Photo } from '../api/schemas.ts';
import { ThumbhashCanvas } from './ThumbhashCanvas.tsx';

interface PhotoImageProps {
  readonly photo: Photo;
  /** How wide it is shown, as in the `sizes` attribute. */
  readonly sizes: string;
  readonly alt: string;
  /** `cover` fills a frame and cuts the rest off; `contain` shows all of the photo. */
  readonly fit?: 'cover' | 'contain';
  /** For photos at the top of a page. Default: loaded when they come near the view. */
  readonly eager?: boolean;
}

/** A photo in the best size and format for the screen, over its placeholder, without moving the page as it loads. */
export function PhotoImage({ photo, sizes, alt, fit = 'cover', eager = false }: PhotoImageProps) {
  const [state, setState] = useState<'loading' | 'shown' | 'broken'>('loading');
  const source = photo.variants.medium ?? photo.variants.thumbnail ?? photo.variants.original;
  const jpeg = source?.formats.jpeg ?? Object.values(source?.formats ?? {})[0];
  return (
    <span className={`photo photo--${fit}`} data-state={state}>
      {photo.placeholder && state !== 'shown' && (
        <ThumbhashCanvas hash={photo.placeholder} className="photo__hash" />
      )}
      {jpeg && state !== 'broken' && (
        <picture>
          {photo.srcset.webp && <source type="image/webp" srcSet={photo.srcset.webp} sizes={sizes} />}
          <img
            className="photo__img"
            src={jpeg.url}
            srcSet={photo.srcset.jpeg || undefined}
            sizes={sizes}
            alt={alt}
            width={photo.width ?? source?.width}
            height={photo.height ?? source?.height}
            loading={eager ? 'eager' : 'lazy'}
            fetchPriority={eager ? 'high' : 'auto'}
            decoding="async"
            ref={(image) => {
              if (image?.complete && image.naturalWidth > 0) setState('shown');
            }}
            onLoad={() => setState('shown')}
            onError={() => setState('broken')}
          />
        </picture>
      )}
      {(!jpeg || state === 'broken') && alt !== '' && <span className="unseen">{alt}</span>}
    </span>
  );
}
