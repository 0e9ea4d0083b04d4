import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import type { Finding, ReviewEntry } from '../api/review.ts';
import { ThumbhashCanvas } from '../components/ThumbhashCanvas.tsx';

interface ReviewPictureProps {
  readonly entry: ReviewEntry;
  readonly isVeiled: boolean;
  readonly onUnveil: () => void;
}

/** The photo with the places of what was found. Veiled, it shows while the pointer or the focus is on it. */
export function ReviewPicture({ entry, isVeiled, onUnveil }: ReviewPictureProps) {
  const { photo } = entry;
  const [isBroken, setBroken] = useState(false);
  const url = urlOf(entry);
  const ratio = (photo.width ?? 4) / (photo.height ?? 3);
  return (
    <div className="review__frame" data-veiled={isVeiled}>
      {photo.placeholder && <ThumbhashCanvas hash={photo.placeholder} className="review__hash" />}
      {url && !isBroken ? (
        <div className="review__fit" style={{ aspectRatio: ratio, width: `min(100cqw, ${ratio * 100}cqh)` }}>
          <img src={url} alt="Waiting for a decision" onError={() => setBroken(true)} />
          {entry.findings.map((finding) => (
            <Place
              key={`${finding.source}-${finding.label}-${JSON.stringify(finding.region)}`}
              {...finding}
            />
          ))}
        </div>
      ) : (
        <p className="review__none">
          <IconEyeOff size={30} stroke={1.4} aria-hidden />
          The photo cannot be shown yet.
        </p>
      )}
      {url && !isBroken && isVeiled && (
        <button type="button" className="review__unveil" aria-keyshortcuts="b" onClick={onUnveil}>
          <IconEye size={18} aria-hidden />
          Show the photo
        </button>
      )}
    </div>
  );
}

/** Where a moderator sees the photo: public, or the view in quarantine. */
export function urlOf({ photo, viewUrl }: ReviewEntry): string | null {
  const shown = photo.variants.large ?? photo.variants.medium ?? photo.variants.original;
  return viewUrl ?? shown?.auto ?? null;
}

function Place({ region, label }: Pick<Finding, 'region' | 'label'>) {
  if (region === null) return null;
  const percent = (fraction: number) => `${fraction * 100}%`;
  return (
    <span
      className="review__place"
      style={{
        left: percent(region.left),
        top: percent(region.top),
        width: percent(region.width),
        height: percent(region.height),
      }}
    >
      <span>{label.replaceAll('_', ' ')}</span>
    </span>
  );
}
