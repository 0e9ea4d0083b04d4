import { useQuery } from '@tanstack/react-query';
import { getModeration } from '../api/moderation.ts';

/** What no machine looks for, in one line that unfolds: whoever reviews is the only one to see it. */
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
      <p>
        {data.blindSpots.join(', ')}. Policy: {data.policy.name} ({data.policy.version}).
      </p>
    </details>
  );
}
