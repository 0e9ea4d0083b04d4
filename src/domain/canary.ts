/**
 * What a scanner made of two files whose verdict is known: `ok`; `blind`, it did not find the EICAR test file; `accusing`,
 * it found something in a file that holds nothing; `silent`, it gave no clear answer.
 */
export const CANARY_OUTCOMES = ['ok', 'blind', 'accusing', 'silent'] as const;
export type CanaryOutcome = (typeof CANARY_OUTCOMES)[number];

/** Why a scanner is not believed, until it is `ok` again; null: it is. A silent one gives no verdict to be believed. */
export type Distrust = Extract<CanaryOutcome, 'blind' | 'accusing'> | null;

/** What is thought of a scanner after this outcome, when `before` was thought. */
export function distrustAfter(outcome: CanaryOutcome, before: Distrust): Distrust {
  if (outcome === 'silent') return before;
  return outcome === 'ok' ? null : outcome;
}

/** A blind scanner may still have found what it found; one that accuses is not believed at all. */
export function isBelieved(verdict: 'clean' | 'infected', distrust: Distrust): boolean {
  return distrust === null || (distrust === 'blind' && verdict === 'infected');
}
