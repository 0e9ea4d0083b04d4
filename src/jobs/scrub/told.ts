import type { RunAction } from '../../domain/runs.ts';
import type { Damage } from './damage.ts';
import type { Finding } from './examine.ts';

/** What is lost for good is said once more after so long, so that it is not forgotten. */
const AGAIN_MS = 30 * 86_400_000;

/** What is seen of an object that is damaged. Another one is another damage. */
export function sightOf(finding: Finding, etag: string | null): string {
  return finding.kind === 'missing' ? 'missing' : `${finding.kind} ${etag ?? ''}`;
}

/** How an operator was told what was done and what is seen since. */
export function toldOf({ action }: RunAction, sight: string): string {
  return `${action}: ${sight}`;
}

/** Whether an operator knows of it: it was told lately, and looks as it did then. */
export function isKnown(damage: Damage, now: Date): boolean {
  const { toldAt } = damage.object;
  return toldAt !== null && now.getTime() - toldAt.getTime() <= AGAIN_MS && looksAsTold(damage);
}

/** Whether it looks as it did when it was told of, however long ago. */
export function looksAsTold({ object: { told }, finding, info }: Damage): boolean {
  return told?.endsWith(`: ${sightOf(finding, info?.etag ?? null)}`) === true;
}

/** The same once more: kept in the record of the run, and said by nothing else. */
export function stillLost({ subject }: RunAction, { object }: Damage): RunAction {
  const { told, damagedAt } = object;
  return { action: 'still-lost', subject, details: { since: damagedAt?.toISOString() ?? null, told } };
}
