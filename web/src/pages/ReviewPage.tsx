import '../review/review.css';
import '../review/pictures.css';
import { Skeleton } from '@mantine/core';
import { IconChecks } from '@tabler/icons-react';
import { useTitle } from '../app/use-title.ts';
import { BlindSpots } from '../components/BlindSpots.tsx';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { BulkBar } from '../review/BulkBar.tsx';
import { DeskTools } from '../review/DeskTools.tsx';
import { LateNotice } from '../review/LateNotice.tsx';
import { ReviewDetail } from '../review/ReviewDetail.tsx';
import { ReviewList } from '../review/ReviewList.tsx';
import { useKeys } from '../review/use-keys.ts';
import { type Review, useReview } from '../review/use-review.ts';
import { REASON_KEYS } from '../review/words.ts';

/** Photos that wait for a person, one large; everything by one key. */
export default function ReviewPage() {
  useTitle('Review');
  const review = useReview();
  useKeys((key) => press(review, key));
  const { view, entry } = review;
  const selected = view.entries.filter(({ photo }) => review.selected.has(photo.id));
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Review</h1>
          <p className="soft" aria-live="polite">
            {waitingWords(view.waiting)} <span className="unseen">{review.said}</span>
          </p>
        </div>
        <DeskTools
          source={review.source}
          blur={review.blur}
          canUndo={view.canUndo}
          onSource={review.show}
          onBlur={review.changeBlur}
          onUndo={review.undo}
        />
      </div>
      <LateNotice />
      <BlindSpots />
      {view.waiting === null && view.problem === null && <Skeleton height={420} radius={18} />}
      {view.problem !== null && <ErrorNotice error={view.problem} onRetry={() => void review.desk.fill()} />}
      {view.waiting !== null && entry === undefined && (
        <EmptyState icon={<IconChecks size={34} stroke={1.4} aria-hidden />} title="All clear">
          Nothing waits for you. New photos appear here by themselves.
        </EmptyState>
      )}
      {selected.length > 0 && (
        <BulkBar entries={selected} onDone={review.settled} onClear={review.clearSelection} />
      )}
      {entry && (
        <div className="review">
          <ReviewList
            entries={view.entries}
            current={entry.photo.id}
            selected={review.selected}
            onChoose={review.choose}
            onSelect={review.select}
          />
          <ReviewDetail
            key={entry.photo.id}
            entry={entry}
            isVeiled={review.isVeiled}
            isHistoryOpen={review.isHistoryOpen}
            asking={review.open.asking}
            shown={review.open.shown}
            outcomes={review.open.outcomes}
            onUnveil={review.unveil}
            onShow={review.showOther}
            onMatch={review.compare}
            onAsk={review.ask}
            onApprove={review.approve}
            onRefuse={review.refuse}
            onHistory={review.toggleHistory}
          />
        </div>
      )}
    </>
  );
}

/** True when the key means something here. */
function press(review: Review, key: string): boolean {
  const reason = REASON_KEYS.get(key);
  if (reason !== undefined) review.refuse(reason, '');
  else ACTS[key]?.(review);
  return reason !== undefined || Object.hasOwn(ACTS, key);
}

const ACTS: Readonly<Record<string, (review: Review) => void>> = {
  a: (review) => review.approve(),
  r: (review) => review.ask('text'),
  u: (review) => review.undo(),
  b: (review) => review.unveil(),
  h: (review) => review.toggleHistory(),
  n: (review) => review.showOther(review.open.shown + 1),
  x: (review) => review.entry && review.select(review.entry.photo.id),
  ArrowDown: (review) => review.step(1),
  ArrowRight: (review) => review.step(1),
  ArrowUp: (review) => review.step(-1),
  ArrowLeft: (review) => review.step(-1),
};

function waitingWords(count: number | null): string {
  if (count === null) return 'Loading';
  return `${count} ${count === 1 ? 'photo waits' : 'photos wait'} for a person.`;
}
