import { useQuery } from '@tanstack/react-query';
import { blindSpotsOf } from '../../../src/domain/moderation-subjects.ts';
import { getModeration } from '../api/moderation.ts';

/** What no machine looks for, and what each of them does not: whoever reviews is the only one to see it. */
export function BlindSpots() {
  const { data } = useQuery({
    queryKey: ['moderation'],
    queryFn: ({ signal }) => getModeration(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (data === undefined || data.blindSpots.length === 0) return null;
  return (
    <details className="soft small">
      <summary>What machines do not see here</summary>
      {data.detectors.length > 1 && <p>None of them sees {data.blindSpots.join(', ')}.</p>}
      {data.detectors.map(({ name, sees }) => (
        <p key={name}>
          <strong>{name}</strong> looks for {sees.join(', ')}, and sees nothing of{' '}
          {blindSpotsOf([sees]).join(', ')}.
        </p>
      ))}
      <p>
        Policy: {data.policy.name} ({data.policy.version}).
      </p>
    </details>
  );
}
