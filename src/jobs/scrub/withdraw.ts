import { isStorageError } from '../../domain/errors.ts';
import { isServedKey } from '../../domain/keys.ts';
import type { RunAction } from '../../domain/runs.ts';
import { withhold } from '../../services/storage/withhold.ts';
import type { ScrubDeps } from './deps.ts';
import type { Aside } from './keep-aside.ts';

export interface Withdrawn {
  /** hidden: the store does not give it any more · withheld: it lies there, and is given to nobody · there: nothing was done. */
  readonly is: 'hidden' | 'withheld' | 'there';
  readonly said: RunAction;
}

/**
 * Sees to it that what lies at a served key is read there by nobody, once it is kept apart where it has to be kept. Where the
 * store cannot hide it, CloudFront is refused by a tag, and our own edge by the rows. What the store itself does not give, and
 * what is not served, is left where it is. Under the file's lock.
 */
export async function withdraw(
  { primary }: ScrubDeps,
  found: {
    readonly action: RunAction;
    readonly key: string;
    readonly isMissing: boolean;
    readonly aside: Aside | null;
  },
  signal: AbortSignal,
): Promise<Withdrawn> {
  const { action, key, isMissing, aside } = found;
  if (isMissing) return { is: 'hidden', said: action };
  const isFinal = action.action === 'set-aside';
  if (!isServedKey(key) || (!isFinal && aside === null)) return { is: 'there', said: action };
  const details = { ...action.details, ...(aside !== null && { keptAs: aside.key }) };
  if (await isHidden(primary, key, signal)) return { is: 'hidden', said: { ...action, details } };
  const withheld = await withhold(primary, key, signal);
  const reason = 'an earlier version would be destroyed';
  return {
    is: 'withheld',
    said: {
      ...action,
      action: isFinal ? 'postpone' : action.action,
      details: { ...details, reason, withheld },
    },
  };
}

async function isHidden(primary: ScrubDeps['primary'], key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await primary.hideFile(key, signal);
    return true;
  } catch (error) {
    if (isStorageError(error, 'CONFLICT')) return false;
    throw error;
  }
}
