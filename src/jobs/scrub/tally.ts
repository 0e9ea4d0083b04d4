import { z } from 'zod';
import type { RunAction } from '../../domain/runs.ts';
import type { Examined } from './examine.ts';

const count = z.int().nonnegative();

/** What a scrub has seen and done so far. */
export const Tally = z.object({
  /** Objects looked at. */
  checked: count,
  /** Of them, those whose bytes were read to their end. */
  read: count,
  bytes: count,
  missing: count,
  damaged: count,
  mislabelled: count,
  /** Mended: from a backup, from the original, by writing their labels again; or right again by themselves. */
  restored: count,
  rebuilt: count,
  relabelled: count,
  recovered: count,
  /** Their bytes are lost unless a backup turns up. */
  lost: count,
  /** The same, or left as one of the next two, and told before. */
  stillLost: count.default(0),
  /** Damaged, and their bytes kept: a backup could not be asked for them; their file is under legal hold. */
  postponed: count,
  held: count,
  /** Not read: archived; the store does not give them; no row says what they should be. */
  archived: count,
  unreadable: count,
  unknown: count,
  /** Files that could not be mended because something failed on the way; the next scrub tries again. */
  failed: count,
});
export type Tally = z.infer<typeof Tally>;

export function newTally(): Tally {
  const names = Object.keys(Tally.shape);
  return Tally.parse(Object.fromEntries(names.map((name) => [name, 0])));
}

/** Null: the store did not give it. */
export function tallyLook(tally: Tally, look: Examined | null): void {
  tally.checked += 1;
  if (look === null) return;
  const { verdict, bytesRead, isRead } = look;
  tally.bytes += bytesRead;
  if (isRead) tally.read += 1;
  if (verdict === 'archived' || verdict === 'unknown') tally[verdict] += 1;
}

const OUTCOMES: Readonly<Record<string, keyof Tally>> = {
  missing: 'missing',
  damaged: 'damaged',
  mislabelled: 'mislabelled',
  restore: 'restored',
  rebuild: 'rebuilt',
  relabel: 'relabelled',
  recover: 'recovered',
  'set-aside': 'lost',
  'still-lost': 'stillLost',
  postpone: 'postponed',
  hold: 'held',
  unreadable: 'unreadable',
  fail: 'failed',
};

/** Actions are named by what was found and what was done. */
export function tallyActions(tally: Tally, actions: readonly RunAction[]): void {
  for (const { action } of actions) {
    const outcome = OUTCOMES[action];
    if (outcome !== undefined) tally[outcome] += 1;
  }
}
