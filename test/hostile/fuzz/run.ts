import { readCorpus } from './corpus.ts';
import { type Case, makeCase } from './mutate.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Each with how many cases come between two that it is given: 1 for all. */
  readonly targets: readonly { readonly target: Target; readonly every: number }[];
  /** Told at once, so that nothing is lost with the process. */
  readonly onFault?: (fault: Fault) => void;
}

export interface Fault extends Case {
  readonly seed: number;
  readonly index: number;
  readonly target: string;
  readonly fault: string;
}

export interface FuzzReport {
  readonly faults: readonly Fault[];
  /** By target: how many cases ended how, and the longest that one took. */
  readonly targets: Readonly<Record<string, Count>>;
}

interface Count {
  readonly outcomes: Record<string, number>;
  slowestMs: number;
}

/** Mutates the corpus until the time is over. What the targets allow is counted, anything else is a fault with its case. */
export async function fuzz({ seed, seconds, targets, onFault }: FuzzOptions): Promise<FuzzReport> {
  const corpus = await readCorpus();
  const faults: Fault[] = [];
  const counts: Record<string, Count> = Object.fromEntries(
    targets.map(({ target }) => [target.name, { outcomes: {}, slowestMs: 0 }]),
  );
  const end = performance.now() + seconds * 1000;
  for (let index = 0; performance.now() < end; index += 1) {
    const made = makeCase(corpus, seed, index);
    for (const { target, every } of targets) {
      if (index % every !== 0) continue;
      const started = performance.now();
      const verdict = await target.take(made.bytes);
      const outcome = 'fault' in verdict ? 'fault' : verdict.outcome;
      const count = counts[target.name];
      if (count === undefined) continue;
      count.outcomes[outcome] = (count.outcomes[outcome] ?? 0) + 1;
      count.slowestMs = Math.max(count.slowestMs, Math.round(performance.now() - started));
      if (!('fault' in verdict)) continue;
      const fault = { ...made, seed, index, target: target.name, fault: verdict.fault };
      faults.push(fault);
      onFault?.(fault);
    }
  }
  return { faults, targets: counts };
}
