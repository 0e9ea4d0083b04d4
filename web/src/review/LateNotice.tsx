import { useQuery } from '@tanstack/react-query';
import { getModeration } from '../api/moderation.ts';
import { timeAgo } from '../components/words.ts';

const EVERY_MS = 60_000;

/** The alarm about photos that wait too long; nothing while none does. */
export function LateNotice() {
  const { data } = useQuery({
    queryKey: ['moderation', 'late'],
    queryFn: ({ signal }) => getModeration(signal),
    refetchInterval: EVERY_MS,
  });
  if (data === undefined || data.late.oldest === null) return null;
  const { count, hours, oldest } = data.late;
  return (
    <p className="review__late" role="alert">
      {count} {count === 1 ? 'photo has' : 'photos have'} waited for more than {hours} hours, the oldest came{' '}
      {timeAgo(oldest)}.
    </p>
  );
}
