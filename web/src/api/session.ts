import * as z from 'zod/mini';
import { ROLES } from '../../../src/domain/access.ts';

const STORAGE_KEY = 'localex.session';

const SessionSchema = z.object({
  userId: z.string(),
  name: z.string(),
  roles: z.array(z.enum(ROLES)),
  token: z.string(),
});
/** Who is signed in, in this browser. */
export type Session = z.infer<typeof SessionSchema>;

const listeners = new Set<() => void>();
let present: Session | null | undefined;

/** The session, or null. Stable between changes, so that it can be read by `useSyncExternalStore`. */
export function getSession(): Session | null {
  if (present === undefined) present = restore();
  return present;
}

export function setSession(session: Session | null): void {
  present = session;
  try {
    if (session === null) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, JSON.stringify(session));
  } catch {
    // Without storage the session lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function restore(): Session | null {
  try {
    const parsed = SessionSchema.safeParse(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null'));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
