import { keepPolicy, listCharges } from '../db/moderation.ts';
import { findLateCases } from '../db/review-queue.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { detectorUsd } from '../domain/moderation-cost.ts';
import { type ModerationPolicy, policyVersion } from '../domain/moderation-policy.ts';
import { blindSpotsOf, type Subject } from '../domain/moderation-subjects.ts';
import type { Detector } from '../ports/moderator.ts';
import type { ServiceDeps } from './deps.ts';
import type { Run, RunsService } from './runs.service.ts';

/** Months of charges that are shown. */
const MONTHS = 12;

/** How photos are judged by machine, for those who judge what machines leave to them. */
export interface ModerationOverview {
  readonly detectors: readonly { readonly name: string; readonly sees: readonly Subject[] }[];
  /** What none of them can see. */
  readonly blindSpots: readonly Subject[];
  readonly policy: ModerationPolicy & { readonly version: string };
  /** Photos that wait longer for a moderator than they may: how many, since when the oldest, and how long they may. */
  readonly late: { readonly count: number; readonly oldest: string | null; readonly hours: number };
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
  /**
   * Has all photos judged again, by the policy in force or by one that is tried. Photos that are doubtful then go to the
   * review queue; `release`: those that only a machine's doubt kept waiting are published. FORBIDDEN.
   */
  replay(
    who: Principal,
    request: {
      readonly policy: ModerationPolicy | null;
      readonly release: boolean;
      /** Have detectors that charge look again at what another version of their model saw. Default: no. */
      readonly newModels?: boolean | undefined;
      readonly dryRun: boolean;
    },
  ): Promise<Run>;
}

export interface ModerationServiceDeps extends Pick<ServiceDeps, 'db' | 'clock' | 'limits'> {
  readonly detectors: readonly Detector[];
  readonly policy: ModerationPolicy;
  readonly runs: RunsService;
}

export function createModerationService(deps: ModerationServiceDeps): ModerationService {
  const { db, detectors, policy, runs } = deps;
  return {
    async overview(who) {
      assertMayAdminister(who, 'read_review');
      const charges = await listCharges(db, MONTHS);
      return {
        detectors: detectors.map(({ name, sees }) => ({ name, sees })),
        blindSpots: blindSpotsOf(detectors.map(({ sees }) => sees)),
        policy: { ...policy, version: policyVersion(policy) },
        late: await lateIn(deps),
        charges: charges.map((charge) => ({
          ...charge,
          usd: detectorUsd(charge.detector, charge.photos),
        })),
      };
    },

    async replay(who, request) {
      assertMayAdminister(who, 'replay_moderation');
      const version = await keepPolicy(db, request.policy ?? policy);
      const { release, newModels = false, dryRun } = request;
      return runs.start(who, 'moderation-replay', { policy: version, release, newModels }, { dryRun });
    },
  };
}

async function lateIn({ db, clock, limits }: ModerationServiceDeps): Promise<ModerationOverview['late']> {
  const before = new Date(clock.now().getTime() - limits.reviewAlarmSeconds * 1000);
  const { count, oldest } = await findLateCases(db, before);
  return { count, oldest: oldest?.toISOString() ?? null, hours: limits.reviewAlarmSeconds / 3600 };
}
