import { Button } from '@mantine/core';
import { IconCheck, IconHistory, IconX } from '@tabler/icons-react';
import type { MatchOutcome } from '../../../src/domain/review-case.ts';
import { isReasonCode, REVIEW_REASONS, type ReasonCode } from '../../../src/domain/review-reasons.ts';
import type { ReviewEntry } from '../api/review.ts';
import { timeAgo } from '../components/words.ts';
import { HistoryPanel } from './HistoryPanel.tsx';
import { isCalledCopy, MatchPair, othersOf, type Outcomes } from './MatchPair.tsx';
import { ReasonForm } from './ReasonForm.tsx';
import { ReasonList } from './ReasonList.tsx';
import { ReviewPicture } from './ReviewPicture.tsx';
import { refusalOf, SOURCE_WORDS } from './words.ts';

interface ReviewDetailProps {
  readonly entry: ReviewEntry;
  readonly isVeiled: boolean;
  readonly isHistoryOpen: boolean;
  /** The reason that is being put into words; `text` for one that is not on the list. */
  readonly asking: ReasonCode | 'text' | null;
  /** Which of the photos that it looks like is beside it, and what came of comparing it with each. */
  readonly shown: number;
  readonly outcomes: Outcomes;
  readonly onUnveil: () => void;
  readonly onShow: (index: number) => void;
  readonly onMatch: (fileId: string, outcome: MatchOutcome) => void;
  readonly onAsk: (asking: ReasonCode | 'text' | null) => void;
  readonly onApprove: () => void;
  readonly onRefuse: (code: ReasonCode | null, text: string) => void;
  readonly onHistory: () => void;
}

const VERBS = {
  in_review: { approve: 'Approve', refuse: 'Reject', submit: 'Reject the photo' },
  taken_down: { approve: 'Bring back', refuse: 'Keep down', submit: 'Keep it down' },
  public: { approve: 'Keep', refuse: 'Take down', submit: 'Take the photo down' },
} as const;

/** One photo in the queue, what is known of it, and all that can be decided. */
export function ReviewDetail(props: ReviewDetailProps) {
  const { entry, asking, onAsk } = props;
  const { photo, item } = entry;
  const verbs = VERBS[photo.state === 'in_review' || photo.state === 'taken_down' ? photo.state : 'public'];
  const others = othersOf(entry);
  return (
    <article className="review__detail" aria-label={`Photo of ${item?.title ?? 'a profile'}`}>
      <div className="review__pictures" data-pair={others.length > 0}>
        <ReviewPicture entry={entry} isVeiled={props.isVeiled} onUnveil={props.onUnveil} />
        {others.length > 0 && (
          <MatchPair
            others={others}
            shown={props.shown % others.length}
            isVeiled={props.isVeiled}
            outcomes={props.outcomes}
            onShow={props.onShow}
            onChoose={props.onMatch}
          />
        )}
      </div>
      <div className="review__side">
        <div>
          <h2>{item?.title ?? 'Profile photo'}</h2>
          <p className="row">
            <span className={entry.appeal === null ? 'chip' : 'chip chip--on'}>
              {SOURCE_WORDS[entry.source]}
            </span>
            {refusalOf(entry) === 'takedown' && photo.state !== 'taken_down' && (
              <span className="chip">Public now</span>
            )}
            <span className="soft small">Waiting since {timeAgo(entry.waitingSince)}</span>
          </p>
        </div>
        {asking === null ? (
          <>
            <div className="row review__do">
              <Button
                leftSection={<IconCheck size={18} aria-hidden />}
                aria-keyshortcuts="a"
                disabled={isCalledCopy(props.outcomes)}
                onClick={props.onApprove}
              >
                {verbs.approve}
              </Button>
              <Button
                variant="light"
                color="red"
                leftSection={<IconX size={18} aria-hidden />}
                aria-keyshortcuts="r"
                onClick={() => onAsk('text')}
              >
                {verbs.refuse}
              </Button>
            </div>
            <Facts entry={entry} />
            <ReasonList
              onChoose={(code) => (REVIEW_REASONS[code].needsText ? onAsk(code) : props.onRefuse(code, ''))}
            />
          </>
        ) : (
          <ReasonForm
            code={asking === 'text' ? null : asking}
            action={verbs.submit}
            onCancel={() => onAsk(null)}
            onRefuse={(text) => props.onRefuse(asking === 'text' ? null : asking, text)}
          />
        )}
        <Button
          variant="default"
          size="sm"
          leftSection={<IconHistory size={16} aria-hidden />}
          aria-expanded={props.isHistoryOpen}
          aria-keyshortcuts="h"
          onClick={props.onHistory}
        >
          History
        </Button>
        {props.isHistoryOpen && <HistoryPanel photo={photo} />}
      </div>
    </article>
  );
}

function Facts({ entry }: { entry: ReviewEntry }) {
  return (
    <>
      {entry.reason && <p>{entry.reason}</p>}
      {entry.appeal && (
        <blockquote className="review__appeal">
          <strong>The seller says: </strong>
          {entry.appeal}
        </blockquote>
      )}
      {entry.reports.length > 0 && (
        <ul className="review__reports" aria-label="Reports by buyers">
          {entry.reports.map(({ reasonCode, count }) => (
            <li key={reasonCode}>
              <strong>{count} ×</strong>{' '}
              {isReasonCode(reasonCode) ? REVIEW_REASONS[reasonCode].title : reasonCode}
            </li>
          ))}
        </ul>
      )}
      <p className="soft small">{scanWords(entry.scan)}</p>
      <Findings findings={entry.findings.filter(({ source }) => source !== 'report')} />
    </>
  );
}

function scanWords(scan: ReviewEntry['scan']): string {
  if (scan === null) return 'Not scanned for viruses.';
  return `Virus scan: ${scan.verdict}, by ${scan.scanner} (${scan.version}).`;
}

function Findings({ findings }: { findings: ReviewEntry['findings'] }) {
  if (findings.length === 0) return null;
  return (
    <dl className="review__labels" aria-label="What the checks saw">
      {findings.slice(0, 8).map(({ source, label, confidence }, index) => (
        <div key={`${source}-${label}-${index}`}>
          <dt>{label.replaceAll('_', ' ')}</dt>
          <dd>
            {confidence === null ? (
              SOURCE_WORDS[source]
            ) : (
              <>
                <meter min={0} max={1} value={confidence} aria-label={`Confidence of ${label}`} />
                {Math.round(confidence * 100)} %
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
