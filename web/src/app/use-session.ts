import { useSyncExternalStore } from 'react';
import { getSession, type Session, subscribeSession } from '../api/session.ts';

export function useSession(): Session | null {
  return useSyncExternalStore(subscribeSession, getSession);
}
