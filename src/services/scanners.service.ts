import { listCanaries } from '../db/scanner-canaries.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import type { CanaryOutcome, Distrust } from '../domain/canary.ts';
import type { ServiceDeps } from './deps.ts';

/** How a virus scanner did when it was last tried. */
export interface ScannerReport {
  readonly scanner: string;
  readonly version: string | null;
  readonly outcome: CanaryOutcome;
  /** Since when the outcome is this one. */
  readonly since: string;
  readonly checkedAt: string;
  /** Why nothing it calls clean is published; null when it is believed. */
  readonly distrust: Distrust;
  /** What it needs although it answers, such as newer signatures. */
  readonly problem: string | null;
}

export interface ScannersService {
  /** All that were tried in the last day. FORBIDDEN. */
  list(who: Principal): Promise<readonly ScannerReport[]>;
}

const DAY_MS = 86_400_000;

export function createScannersService({ db, clock }: Pick<ServiceDeps, 'db' | 'clock'>): ScannersService {
  return {
    async list(who) {
      assertMayAdminister(who, 'read_review');
      const rows = await listCanaries(db, new Date(clock.now().getTime() - DAY_MS));
      return rows.map(({ since, checked_at: checkedAt, ...row }) => ({
        ...row,
        since: since.toISOString(),
        checkedAt: checkedAt.toISOString(),
      }));
    },
  };
}
