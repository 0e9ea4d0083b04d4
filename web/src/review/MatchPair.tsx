import { useQuery } from '@tanstack/react-query';
import { MATCH_OUTCOMES, type MatchOutcome } from '../../../src/domain/review-case.ts';
import { getCompared, type ReviewEntry } from '../api/review.ts';
import { timeAgo } from '../components/words.ts';
import { MATCH_WORDS } from './words.ts';

interface MatchPairProps {
  readonly fileId: string;
  readonly isVeiled: boolean;
  readonly chosen: MatchOutcome | null;
  readonly onChoose: (outcome: MatchOutcome) => void;
}

/** The photo that this one looks like, and what came of comparing them. Which was uploaded first proves nothing. */
export function MatchPair({ fileId, isVeiled, chosen, onChoose }: MatchPairProps) {
  const query = useQuery({
    queryKey: ['compared', fileId],
    queryFn: ({ signal }) => getCompared(fileId, signal),
  });
  return (
    <section className="review__match" aria-label="The other photo">
      <h2>Looks like this photo</h2>
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
            className={chosen === outcome ? 'chip chip--on' : 'chip'}
            aria-pressed={chosen === outcome}
            onClick={() => onChoose(outcome)}
          >
            {MATCH_WORDS[outcome]}
          </button>
        ))}
      </div>
    </section>
  );
}

/** The photo of somebody else that a finding names, where there is one. */
export function matchOf({ findings }: ReviewEntry): string | null {
  for (const { label, details } of findings) {
    const fileId = details['fileId'];
    if (label === 'same_photo_elsewhere' && typeof fileId === 'string') return fileId;
  }
  return null;
}
