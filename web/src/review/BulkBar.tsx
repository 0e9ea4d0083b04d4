import { Button } from '@mantine/core';
import { useState } from 'react';
import { REVIEW_REASONS, type ReasonCode } from '../../../src/domain/review-reasons.ts';
import { asApiError } from '../api/api-error.ts';
import { type Decision, decideMany, type ReviewEntry } from '../api/review.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { ReasonForm } from './ReasonForm.tsx';
import { ReasonList } from './ReasonList.tsx';
import { refusalOf } from './words.ts';

interface BulkBarProps {
  readonly entries: readonly ReviewEntry[];
  /** These are settled, by us or by somebody who was faster. */
  readonly onDone: (ids: readonly string[]) => void;
  readonly onClear: () => void;
}

/** Decides all selected photos alike, and tells how many could not be. */
export function BulkBar({ entries, onDone, onClear }: BulkBarProps) {
  const [asking, setAsking] = useState<ReasonCode | 'list' | null>(null);
  const [isBusy, setBusy] = useState(false);
  const settle = async (verdict: 'approve' | 'refuse', why: Omit<Decision, 'decision' | 'match'>) => {
    setBusy(true);
    const groups = Map.groupBy(entries, (entry) => (verdict === 'approve' ? 'approve' : refusalOf(entry)));
    const settled: string[] = [];
    const refused: string[] = [];
    try {
      for (const [decision, group] of groups) {
        const ids = group.map(({ photo }) => photo.id);
        const { outcomes } = await decideMany(ids, { decision, ...why });
        for (const { id, ok, code } of outcomes) (ok || isGone(code) ? settled : refused).push(id);
      }
      const note = refused.length === 0 ? '' : ` ${refused.length} could not be; they are still here.`;
      showToast(`${settled.length} photos are settled.${note}`, { tone: note === '' ? 'plain' : 'bad' });
    } catch (error) {
      showToast(adviceFor(asApiError(error).code).what, { tone: 'bad' });
    }
    setBusy(false);
    onDone(settled);
  };
  const choose = (code: ReasonCode) =>
    REVIEW_REASONS[code].needsText ? setAsking(code) : void settle('refuse', { reasonCode: code });
  return (
    <section className="panel review__bulk" aria-label="Selected photos">
      <p>
        <strong>{entries.length} selected</strong>
      </p>
      <div className="row">
        <Button loading={isBusy} onClick={() => void settle('approve', {})}>
          Approve all
        </Button>
        <Button variant="light" color="red" disabled={isBusy} onClick={() => setAsking('list')}>
          Refuse all
        </Button>
        <Button variant="default" disabled={isBusy} onClick={onClear}>
          Clear
        </Button>
      </div>
      {asking === 'list' && <ReasonList onChoose={choose} />}
      {asking !== null && asking !== 'list' && (
        <ReasonForm
          code={asking}
          action="Refuse all"
          onCancel={() => setAsking(null)}
          onRefuse={(reason) => void settle('refuse', { reasonCode: asking, reason })}
        />
      )}
    </section>
  );
}

/** Somebody was faster: nothing is left to decide. */
function isGone(code: string | undefined): boolean {
  return code === 'ALREADY_DECIDED' || code === 'NOT_FOUND';
}
