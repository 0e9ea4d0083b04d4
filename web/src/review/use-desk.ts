import { useEffect, useState, useSyncExternalStore } from 'react';
import { asApiError } from '../api/api-error.ts';
import { claimNext, decide, type ReviewEntry, releaseClaims, renewClaims } from '../api/review.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { type DeskView, ReviewDesk } from './desk.ts';

/** What the desk before gives back must be given back before this one takes. */
let leaving: Promise<void> = Promise.resolve();

/** A moderator's desk for as long as the page is open; leaving it sends what is decided and gives the rest back. */
export function useDesk(): { desk: ReviewDesk; view: DeskView } {
  const [desk] = useState(
    () => new ReviewDesk({ claimNext, renewClaims, releaseClaims, decide }, tellRefusal),
  );
  const view = useSyncExternalStore(desk.subscribe, desk.snapshot);
  useEffect(() => {
    void leaving.then(() => desk.open());
    const leave = () => {
      leaving = desk.close();
    };
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      leave();
    };
  }, [desk]);
  return { desk, view };
}

function tellRefusal(error: unknown, { item }: ReviewEntry): void {
  const { what, next } = adviceFor(asApiError(error).code);
  showToast(`${item?.title ?? 'Profile photo'}: ${what} ${next}`, { tone: 'bad' });
}
