import { Button, Textarea } from '@mantine/core';
import { IconCheck, IconEyeOff, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { Decision } from '../api/endpoints.ts';
import type { ReviewEntry } from '../api/schemas.ts';
import { ThumbhashCanvas } from './ThumbhashCanvas.tsx';
import { timeAgo } from './words.ts';

interface ReviewDetailProps {
  readonly entry: ReviewEntry;
  readonly isRejecting: boolean;
  readonly isBusy: boolean;
  readonly onRejecting: (isRejecting: boolean) => void;
  readonly onDecide: (decision: Decision, reason: string) => void;
}

const USUAL_REASONS = [
  'Shows a person in a way that is not allowed',
  'Shows something that may not be sold',
  'Does not show the thing that is sold',
];

export function ReviewDetail({ entry, isRejecting, isBusy, onRejecting, onDecide }: ReviewDetailProps) {
  const { photo, item, viewUrl } = entry;
  const [isBroken, setBroken] = useState(false);
  return (
    <article className="review__detail" aria-label={`Photo of ${item?.title ?? 'a profile'}`}>
      <div className="review__frame">
        {photo.placeholder && <ThumbhashCanvas hash={photo.placeholder} className="review__hash" />}
        {viewUrl && !isBroken ? (
          <img
            src={viewUrl}
            alt="Waiting for a decision"
            width={photo.width ?? undefined}
            height={photo.height ?? undefined}
            onError={() => setBroken(true)}
          />
        ) : (
          <p className="review__none">
            <IconEyeOff size={30} stroke={1.4} aria-hidden />
            The photo cannot be shown yet.
          </p>
        )}
      </div>
      <div className="review__side">
        <div>
          <h2>{item?.title ?? 'Profile photo'}</h2>
          <p className="soft small">Waiting since {timeAgo(entry.waitingSince)}</p>
        </div>
        {entry.reason && <p>{entry.reason}</p>}
        {entry.appeal && (
          <blockquote className="review__appeal">
            <strong>The seller says: </strong>
            {entry.appeal}
          </blockquote>
        )}
        <p className="soft small">{scanWords(entry.scan)}</p>
        {entry.labels.length > 0 && <Labels labels={entry.labels} />}
        {isRejecting ? (
          <RejectForm
            isBusy={isBusy}
            onCancel={() => onRejecting(false)}
            onReject={(reason) => onDecide('reject', reason)}
          />
        ) : (
          <div className="row review__do">
            <Button
              loading={isBusy}
              leftSection={<IconCheck size={18} aria-hidden />}
              aria-keyshortcuts="a"
              onClick={() => onDecide('approve', 'Nothing to object to.')}
            >
              Approve
            </Button>
            <Button
              variant="light"
              color="red"
              disabled={isBusy}
              leftSection={<IconX size={18} aria-hidden />}
              aria-keyshortcuts="r"
              onClick={() => onRejecting(true)}
            >
              Reject
            </Button>
          </div>
        )}
      </div>
    </article>
  );
}

function scanWords(scan: ReviewEntry['scan']): string {
  if (scan === null) return 'Not scanned for viruses.';
  return `Virus scan: ${scan.verdict}, by ${scan.scanner} (${scan.version}).`;
}

function Labels({ labels }: { labels: ReviewEntry['labels'] }) {
  return (
    <dl className="review__labels" aria-label="What the checks saw">
      {labels.slice(0, 6).map(({ label, confidence }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <meter min={0} max={1} value={confidence} aria-label={`Confidence of ${label}`} />
            {Math.round(confidence * 100)} %
          </dd>
        </div>
      ))}
    </dl>
  );
}

function RejectForm(props: { isBusy: boolean; onCancel: () => void; onReject: (reason: string) => void }) {
  const [reason, setReason] = useState('');
  return (
    <form
      className="review__reject"
      onKeyDown={(event) => event.key === 'Escape' && props.onCancel()}
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim() !== '') props.onReject(reason.trim());
      }}
    >
      <Textarea
        label="Why? The seller reads this."
        rows={3}
        maxLength={300}
        required
        autoFocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className="review__usual">
        {USUAL_REASONS.map((usual) => (
          <button key={usual} type="button" className="chip" onClick={() => setReason(`${usual}.`)}>
            {usual}
          </button>
        ))}
      </div>
      <div className="row">
        <Button type="submit" color="red" variant="light" loading={props.isBusy}>
          Reject the photo
        </Button>
        <Button variant="default" onClick={props.onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
