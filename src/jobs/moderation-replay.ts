import { z } from 'zod';
import { findPolicy, listCharges } from '../db/moderation.ts';
import { countJudged, type JudgedFile, latestVersions, listJudged } from '../db/moderation-replay.ts';
import { type KeptFinding, listApproved } from '../db/review-cases.ts';
import { beyondApproval } from '../domain/approval.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { withConfidence } from '../domain/finding.ts';
import { detectorUsd } from '../domain/moderation-cost.ts';
import { isHidden, type ModerationPolicy } from '../domain/moderation-policy.ts';
import { type ReplayChange, replayChange } from '../domain/moderation-replay.ts';
import type { RunAction } from '../domain/runs.ts';
import { moderationFindings } from '../services/moderation/findings.ts';
import { applyChange } from './moderation-replay/apply.ts';
import { judgeAgain, pastLooks, type ReplayDeps, type SecondJudgement } from './moderation-replay/look.ts';
import type { RunContext, RunHandler } from './runner.ts';

const Params = z.object({
  /** Version of a policy that is kept. */
  policy: z.string(),
  /** Publish photos that waited for a machine's doubt only. */
  release: z.boolean().default(false),
  /** Have detectors that charge look again at what another version of their model saw. */
  newModels: z.boolean().default(false),
});
type Params = z.infer<typeof Params>;

const Counts = z.record(z.string(), z.int());
const Tally = z.object({
  photos: z.int(),
  unchanged: z.int(),
  changes: Counts,
  /** Of photos that change: the labels that led to the new verdict. */
  labels: Counts,
  /** Not judged, since a detector that charges has not seen them, and a dry run asks none. */
  notSeen: z.int(),
  /** Judged by what another version than the present one of a model outside saw: by model and that version. */
  otherModel: Counts.default({}),
  /** Looks that detectors which charge were asked for, in a dry run would be. */
  charged: Counts.default({}),
  failed: z.int(),
});
type Tally = z.infer<typeof Tally>;
const Cursor = z.object({ after: z.string().nullable(), total: z.int(), tally: Tally });

/** Photos between two checkpoints. */
const PAGE = 50;

/**
 * A run of kind `moderation-replay`: judges photos again that are public, wait, or were refused, under another policy or
 * by other models, and records what changes for each. Photos that are doubtful now go to the review queue and stay public, or
 * are hidden until a person decides where the policy says so; none is refused, what a person has decided stands, and what waits is published only where the run was asked for it.
 */
export function replayModeration(deps: ReplayDeps): RunHandler {
  return async (context) => {
    const params = Params.parse(context.params);
    const policy = await findPolicy(deps.db, params.policy);
    if (policy === null) throw new StorageError('NOT_FOUND', 'There is no such policy.');
    const latest = await latestVersions(deps.db);
    const cursor = Cursor.parse(context.cursor ?? (await begin(deps)));
    for (;;) {
      const page = await listJudged(deps.db, cursor.after, PAGE);
      if (page.length === 0)
        return {
          policy: { name: policy.name, version: params.policy },
          ...cursor.tally,
          usd: await priceOf(deps, context, cursor.tally),
        };
      const actions: RunAction[] = [];
      const approved = await listApproved(
        deps.db,
        page.map(({ id }) => id),
      );
      for (const file of page) {
        const known = approved.get(file.id) ?? [];
        const action = await replayOne(deps, context, { params, policy, known, latest }, file, cursor.tally);
        if (action !== null) actions.push(action);
        cursor.after = file.id;
      }
      const { photos } = cursor.tally;
      await context.checkpoint(cursor, { done: photos, total: cursor.total, note: 'judging again' }, actions);
    }
  };
}

async function begin({ db }: ReplayDeps): Promise<z.infer<typeof Cursor>> {
  const tally = {
    photos: 0,
    unchanged: 0,
    changes: {},
    labels: {},
    notSeen: 0,
    otherModel: {},
    charged: {},
    failed: 0,
  };
  return { after: null, total: await countJudged(db), tally };
}

/** US dollars for the looks that are charged, on top of what the month has had; null where a price is not known. */
async function priceOf(
  { db }: ReplayDeps,
  { dryRun }: RunContext,
  { charged }: Tally,
): Promise<number | null> {
  const month = await listCharges(db, 1);
  let usd = 0;
  for (const [detector, photos] of Object.entries(charged)) {
    const had = month.find((charge) => charge.detector === detector)?.photos ?? 0;
    const before = dryRun ? had : Math.max(0, had - photos);
    const [from, to] = [detectorUsd(detector, before), detectorUsd(detector, before + photos)];
    if (from === null || to === null) return null;
    usd += to - from;
  }
  return usd;
}

interface Premises {
  readonly params: Params;
  readonly policy: ModerationPolicy;
  /** What was known of the photo when a person approved it. */
  readonly known: readonly KeptFinding[];
  /** Of models, as the latest photos were seen by. */
  readonly latest: ReadonlyMap<string, string>;
}

async function replayOne(
  deps: ReplayDeps,
  { run, dryRun, signal }: RunContext,
  { params, policy, known, latest }: Premises,
  file: JudgedFile,
  tally: Tally,
): Promise<RunAction | null> {
  tally.photos += 1;
  try {
    const looks = pastLooks(deps, file, { latest, newModels: params.newModels });
    const charged = looks.unseen.filter(({ isCharged }) => isCharged);
    for (const model of looks.outdated) tally.otherModel[model] = (tally.otherModel[model] ?? 0) + 1;
    for (const { name } of charged) tally.charged[name] = (tally.charged[name] ?? 0) + 1;
    if (dryRun && charged.length > 0) {
      tally.notSeen += 1;
      return null;
    }
    const second = await judgeAgain(deps, file, looks, { policy, version: params.policy, signal });
    const { verdict } = second.result;
    const open = beyondApproval(moderationFindings(second.result), known).map(withConfidence);
    const hides = isHidden(policy, open, file.category);
    const change = replayChange(file, { verdict, isApproved: open.length === 0, isHidden: hides }, params);
    if (!dryRun) await applyChange(deps, file, change, second, run);
    return count(tally, file, change, second);
  } catch (error) {
    // What may pass is tried again by the runner, from the last checkpoint.
    if (!isStorageError(error) || error.retryable || error.code === 'ABORTED') throw error;
    tally.failed += 1;
    return { action: 'failed', subject: file.id, details: { code: error.code } };
  }
}

function count(
  tally: Tally,
  file: JudgedFile,
  change: ReplayChange | null,
  { result, isNewLook }: SecondJudgement,
): RunAction | null {
  if (change === null) {
    tally.unchanged += 1;
    return null;
  }
  tally.changes[change] = (tally.changes[change] ?? 0) + 1;
  for (const label of new Set(result.labels.map((found) => found.label)))
    tally.labels[label] = (tally.labels[label] ?? 0) + 1;
  const labels = result.labels.map(({ label, confidence, outcome, threshold }) => ({
    label,
    confidence,
    outcome,
    threshold,
  }));
  const verdicts = { from: file.moderation?.verdict ?? null, to: result.verdict };
  return {
    action: change,
    subject: file.id,
    details: { state: file.state, ...verdicts, labels, isNewLook },
  };
}
