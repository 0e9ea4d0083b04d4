import { listCharges } from '../db/moderation.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { detectorUsd } from '../domain/moderation-cost.ts';
import { type ModerationPolicy, policyVersion } from '../domain/moderation-policy.ts';
import { blindSpotsOf, type Subject } from '../domain/moderation-subjects.ts';
import type { Detector } from '../ports/moderator.ts';
import type { ServiceDeps } from './deps.ts';

/** Months of charges that are shown. */
const MONTHS = 12;

/** How photos are judged by machine, for those who judge what machines leave to them. */
export interface ModerationOverview {
  readonly detectors: readonly { readonly name: string; readonly sees: readonly Subject[] }[];
  /** What none of them can see. */
  readonly blindSpots: readonly Subject[];
  readonly policy: ModerationPolicy & { readonly version: string };
  /** Photos that detectors outside charged for, by month (UTC), newest first. */
  readonly charges: readonly {
    readonly month: string;
    readonly detector: string;
    readonly photos: number;
    /** US dollars, by the price list; null where that is not known. */
    readonly usd: number | null;
  }[];
}

export interface ModerationService {
  /** FORBIDDEN to who does not review photos. */
  overview(who: Principal): Promise<ModerationOverview>;
}

export interface ModerationServiceDeps extends Pick<ServiceDeps, 'db'> {
  readonly detectors: readonly Detector[];
  readonly policy: ModerationPolicy;
}

export function createModerationService({ db, detectors, policy }: ModerationServiceDeps): ModerationService {
  return {
    async overview(who) {
      assertMayAdminister(who, 'read_review');
      const charges = await listCharges(db, MONTHS);
      return {
        detectors: detectors.map(({ name, sees }) => ({ name, sees })),
        blindSpots: blindSpotsOf(detectors.map(({ sees }) => sees)),
        policy: { ...policy, version: policyVersion(policy) },
        charges: charges.map((charge) => ({
          ...charge,
          usd: detectorUsd(charge.detector, charge.photos),
        })),
      };
    },
  };
}
