import './review.css';
import { Skeleton } from '@mantine/core';
import { IconChecks } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { asApiError } from '../api/api-error.ts';
import { type Decision, decide, listReview } from '../api/endpoints.ts';
import type { ReviewPage as Page } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { useTitle } from '../app/use-title.ts';
import { BlindSpots } from '../components/BlindSpots.tsx';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { ReviewDetail } from '../components/ReviewDetail.tsx';
import { ReviewList } from '../components/ReviewList.tsx';
import { adviceFor } from '../upload/advice.ts';

const KEY = ['review'];
const APPROVED = 'Nothing to object to.';
/** New photos may come at any time; the queue is short. */
const REFRESH_MS = 15_000;

/** Photos that wait for a person, one large, with the keys a, r and the arrows. */
export default function ReviewPage() {
  useTitle('Review');
  const client = useQueryClient();
  const query = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => listReview(null, signal),
    refetchInterval: REFRESH_MS,
  });
  const [chosen, setChosen] = useState<string | null>(null);
  const [isRejecting, setRejecting] = useState(false);
  const entries = query.data?.photos ?? [];
  const index = Math.max(
    0,
    entries.findIndex((entry) => entry.photo.id === chosen),
  );
  const entry = entries[index];

  const decision = useMutation({
    mutationFn: ({ id, verdict, reason }: { id: string; verdict: Decision; reason: string }) =>
      decide(id, verdict, reason),
    onSuccess: (_, { verdict }) =>
      showToast(verdict === 'approve' ? 'Approved.' : 'Rejected.', { ms: 3_000 }),
    onError: (error) => showToast(adviceFor(asApiError(error).code).what, { tone: 'bad' }),
    onSettled: (_, error, { id }) => {
      if (error === null || asApiError(error).code === 'ALREADY_DECIDED')
        client.setQueryData<Page>(KEY, (page) => without(page, id));
      return client.invalidateQueries({ queryKey: KEY });
    },
  });
  const settle = (verdict: Decision, reason: string) => {
    if (entry === undefined || decision.isPending) return;
    setRejecting(false);
    setChosen(entries[index + 1]?.photo.id ?? entries[index - 1]?.photo.id ?? null);
    decision.mutate({ id: entry.photo.id, verdict, reason });
  };
  const step = (by: number) => {
    setRejecting(false);
    setChosen(entries[Math.max(0, Math.min(index + by, entries.length - 1))]?.photo.id ?? null);
  };
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const isTyping =
      event.target instanceof Element && event.target.closest('input, textarea, select, dialog') !== null;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys: Record<string, () => void> = {
      a: () => settle('approve', APPROVED),
      r: () => setRejecting(true),
      ArrowDown: () => step(1),
      ArrowRight: () => step(1),
      ArrowUp: () => step(-1),
      ArrowLeft: () => step(-1),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);

  return (
    <>
      <div className="page-head">
        <div>
          <h1>Review</h1>
          <p className="soft" aria-live="polite">
            {query.data
              ? `${query.data.count} ${query.data.count === 1 ? 'photo waits' : 'photos wait'} for a person.`
              : 'Loading'}
          </p>
        </div>
        <p className="soft small review__keys">
          <kbd>A</kbd> approve <kbd>R</kbd> reject <kbd>↑</kbd> <kbd>↓</kbd> next, previous
        </p>
      </div>
      <BlindSpots />
      {query.isPending && <Skeleton height={420} radius={18} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && entry === undefined && (
        <EmptyState icon={<IconChecks size={34} stroke={1.4} aria-hidden />} title="All clear">
          Nothing waits for you. New photos appear here by themselves.
        </EmptyState>
      )}
      {entry && (
        <div className="review">
          <ReviewList entries={entries} current={entry.photo.id} onChoose={setChosen} />
          <ReviewDetail
            key={entry.photo.id}
            entry={entry}
            isRejecting={isRejecting}
            isBusy={decision.isPending}
            onRejecting={setRejecting}
            onDecide={settle}
          />
        </div>
      )}
    </>
  );
}

function without(page: Page | undefined, id: string): Page | undefined {
  return (
    page && {
      ...page,
      count: Math.max(0, page.count - 1),
      photos: page.photos.filter(({ photo }) => photo.id !== id),
    }
  );
}
