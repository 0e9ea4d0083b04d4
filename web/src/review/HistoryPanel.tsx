import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { isReasonCode, REVIEW_REASONS } from '../../../src/domain/review-reasons.ts';
import { getHistory, getSeller, type History } from '../api/review.ts';
import type { Photo } from '../api/schemas.ts';
import { ErrorNotice } from '../components/Notices.tsx';
import { timeAgo } from '../components/words.ts';

const FIRST_PAGE: string | null = null;

/** What happened to a photo before, and how its seller was judged. */
export function HistoryPanel({ photo }: { photo: Photo }) {
  const history = useInfiniteQuery({
    queryKey: ['history', photo.id],
    queryFn: ({ pageParam, signal }) => getHistory(photo.id, pageParam, signal),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: ({ next }) => next,
  });
  const seller = useQuery({
    queryKey: ['seller', photo.ownerId],
    queryFn: ({ signal }) => getSeller(photo.ownerId, signal),
  });
  const panel = useRef<HTMLElement>(null);
  const isLoaded = history.data !== undefined;
  // Opened by a key it may lie below what is in view.
  useEffect(() => {
    if (isLoaded) panel.current?.scrollIntoView({ block: 'nearest' });
  }, [isLoaded]);

  if (history.isError) return <ErrorNotice error={history.error} onRetry={() => void history.refetch()} />;
  return (
    <section className="review__history" aria-label="History" ref={panel}>
      <h3>This photo</h3>
      {history.data === undefined ? (
        <p className="soft">Loading</p>
      ) : (
        <Lines lines={history.data.pages.flatMap(linesOf)} />
      )}
      {history.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          loading={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          Before that
        </Button>
      )}
      <h3>Its seller</h3>
      {seller.data && (
        <p className="small">
          {sum(seller.data.photos)} photos · {seller.data.decisions['reject'] ?? 0} rejected ·{' '}
          {seller.data.decisions['takedown'] ?? 0} taken down · {seller.data.appeals.upheld} of{' '}
          {seller.data.appeals.made} appeals upheld · {seller.data.reports} reports
        </p>
      )}
    </section>
  );
}

interface Line {
  readonly at: string;
  readonly text: string;
}

function Lines({ lines }: { lines: readonly Line[] }) {
  return (
    <ol>
      {lines.map(({ at, text }) => (
        <li key={`${at}-${text}`}>
          <time dateTime={at} className="soft small">
            {timeAgo(at)}
          </time>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}

const PROOF_WORDS: Readonly<Record<string, string>> = {
  waiting: 'Asking whether its URLs are gone',
  gone: 'Its URLs are gone',
  superseded: 'Public again',
  served: 'Its URLs are still served',
  unanswered: 'Nobody answered for its URLs',
};

/** One line for each thing that happened, the latest first. */
function linesOf(history: History): readonly Line[] {
  const lines: Line[] = [
    ...history.events.map(({ at, state }) => ({ at, text: `Now ${state.replace('_', ' ')}` })),
    ...history.decisions.map(({ at, moderatorId, decision, reason, reasonCode }) => ({
      at,
      text: `${moderatorId}: ${decision}. ${titleOf(reasonCode)}${reason}`,
    })),
    ...history.appeals.map(({ at, message, outcome }) => ({
      at,
      text: `The seller appealed (${outcome ?? 'open'}): ${message}`,
    })),
    ...history.reports.map(({ at, reasonCode, message }) => ({
      at,
      text: `Reported. ${titleOf(reasonCode)}${message ?? ''}`,
    })),
    ...history.holds.map(({ placedAt, reason }) => ({ at: placedAt, text: `Legal hold: ${reason}` })),
    ...history.proofs.flatMap(({ state, urls, probedAt }) =>
      probedAt === null ? [] : [{ at: probedAt, text: `${PROOF_WORDS[state] ?? state} (${urls} asked)` }],
    ),
  ];
  return lines.toSorted((a, b) => b.at.localeCompare(a.at));
}

function titleOf(code: string | null): string {
  return code !== null && isReasonCode(code) ? `${REVIEW_REASONS[code].title}. ` : '';
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
