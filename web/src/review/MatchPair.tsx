import { Button } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { MATCH_OUTCOMES, type MatchOutcome } from '../../../src/domain/review-case.ts';
import { getCompared, type ReviewEntry } from '../api/review.ts';
import { timeAgo } from '../components/words.ts';
import { MATCH_WORDS } from './words.ts';

interface MatchPairProps {
  /** Photos of others that this one looks like. */
  readonly others: readonly string[];
  /** The one that is shown beside it. */
  readonly shown: number;
  readonly isVeiled: boolean;
  readonly outcomes: Outcomes;
  readonly onShow: (index: number) => void;
  readonly onChoose: (fileId: string, outcome: MatchOutcome) => void;
}

/** What came of each comparison so far, by the other photo. */
export type Outcomes = ReadonlyMap<string, MatchOutcome>;

/** The photos that this one looks like, one at a time, and what came of comparing them. Which was uploaded first proves nothing. */
export function MatchPair({ others, shown, isVeiled, outcomes, onShow, onChoose }: MatchPairProps) {
  const fileId = others[shown] ?? '';
  const query = useQuery({
    queryKey: ['compared', fileId],
    queryFn: ({ signal }) => getCompared(fileId, signal),
  });
  return (
    <section className="review__match" aria-label="The other photo">
      <div className="row">
        <h2>Looks like this photo</h2>
        {others.length > 1 && (
          <Button
            variant="default"
            size="xs"
            aria-keyshortcuts="n"
            rightSection={<IconArrowRight size={14} aria-hidden />}
            onClick={() => onShow(shown + 1)}
          >
            {shown + 1} of {others.length}
            <span className="unseen">, show the next one</span>
          </Button>
        )}
      </div>
      {query.isError && <p className="soft">The other photo cannot be shown.</p>}
      {query.data && (
        <figure data-veiled={isVeiled}>
          <img src={query.data.url} alt="The other one" />
          <figcaption className="soft small">Uploaded {timeAgo(query.data.photo.createdAt)}</figcaption>
        </figure>
      )}
      <div className="row" role="group" aria-label="What came of comparing them">
        {MATCH_OUTCOMES.map((outcome) => (
          <button
            key={outcome}
            type="button"
            className={outcomes.get(fileId) === outcome ? 'chip chip--on' : 'chip'}
            aria-pressed={outcomes.get(fileId) === outcome}
            onClick={() => onChoose(fileId, outcome)}
          >
            {MATCH_WORDS[outcome]}
          </button>
        ))}
      </div>
    </section>
  );
}

/** The photos of others that findings name, those that are most alike first. */
export function othersOf({ findings }: ReviewEntry): string[] {
  const alike = findings
    .filter(({ label }) => label === 'same_photo_elsewhere')
    .toSorted((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0));
  return [...new Set(alike.map(({ details }) => details['fileId']))].filter((id) => typeof id === 'string');
}

/** Whether a photo is called the copy of another one: it cannot be approved then. */
export function isCalledCopy(outcomes: Outcomes): boolean {
  return [...outcomes.values()].includes('copied_by_newer');
}
