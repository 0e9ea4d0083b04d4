import type { Config } from '../config/index.ts';
import { noteRecipe } from '../db/recipes.ts';
import { foldStorage } from '../db/rollups.ts';
import { recipeId, recipeVersion } from '../domain/renditions.ts';
import { auditTasks, verifyAudit } from '../jobs/audit-upkeep.ts';
import { backfillFingerprints } from '../jobs/backfill-fingerprints.ts';
import { startSearchFeed } from '../jobs/feed-search.ts';
import { deriveRenditions, ingest } from '../jobs/ingest/ingest.ts';
import { cdnInvalidationRun, cdnWarmRun } from '../jobs/cdn-runs.ts';
import { ingestAccessLogs } from '../jobs/ingest-access-logs.ts';
import { lifecycleRun } from '../jobs/lifecycle-run.ts';
import { startDueLifecycle } from '../jobs/lifecycle-schedule.ts';
import { probeWithdrawn } from '../jobs/probe-withdrawn.ts';
import { advanceRestores } from '../jobs/restore-photos.ts';
import { readText } from '../jobs/read-text.ts';
import { scanDocument } from '../jobs/scan-document.ts';
import { canaryTask } from '../jobs/scanner-canary.ts';
import { replayModeration } from '../jobs/moderation-replay.ts';
import { watchReview } from '../jobs/review-waits.ts';
import { rebuildSearch } from '../jobs/rebuild-search.ts';
import { rewrapKeys } from '../jobs/rewrap-keys.ts';
import { takeArrival } from '../jobs/take-arrival.ts';
import { startSchedule } from '../jobs/schedule.ts';
import { startSealer } from '../jobs/seal-audit.ts';
import { type RunHandlers, startRunner } from '../jobs/runner.ts';
import { scrubObjects } from '../jobs/scrub.ts';
import { startDueScrub } from '../jobs/scrub/schedule.ts';
import { sweep } from '../jobs/sweep.ts';
import { startPurges } from './purges.ts';
import { moveEvidence } from '../services/evidence/move.ts';
import { keepKeys } from '../services/key-rotation.ts';
import { abortAbandonedUploads } from '../services/lifecycle/abandoned.ts';
import type { Composition } from './compose.ts';
import { scrubDeps } from './scrub.ts';

const SWEEP_MS = 30_000;
const CLEAN_MS = 600_000;
const KEYS_MS = 600_000;
const SCRUB_MS = 600_000;
const LIFECYCLE_MS = 600_000;
const PROBE_MS = 5_000;
const ARRIVALS_CLOSE_MS = 4000;
/** A restore takes hours at S3: looked for often enough to be seen soon, seldom enough to cost nothing. */
const RESTORE_MS = 300_000;
/** What has been restored to be moved lies at its public key, if refused to the CDN: it is moved soon. */
const EVIDENCE_MS = 10_000;
const REVIEW_WAITS_MS = 60_000;
const BACKFILL_MS = 5_000;
/** Deltas wait so long at most; a report reads those that wait. */
const FOLD_MS = 5_000;
/** CloudFront delivers "up to several times an hour". */
const ACCESS_LOGS_MS = 600_000;

/** Who does which kind of run. */
function runHandlers(config: Config, parts: Composition): RunHandlers {
  const { cdn, cdnService: service } = parts;
  return {
    lifecycle: lifecycleRun(parts.lifecycle),
    scrub: scrubObjects(scrubDeps(config, parts)),
    'cdn-invalidation': cdnInvalidationRun({ service, cdn }),
    'cdn-warm': cdnWarmRun({ service }),
    'verify-audit': verifyAudit(parts.jobs),
    'moderation-replay': replayModeration({ ...parts.jobs, ...parts.judging }),
    'search-rebuild': rebuildSearch({ ...parts.jobs, ...parts.searching }),
    'rewrap-keys': rewrapKeys({ ...parts.jobs, vault: parts.keys }),
  };
}

/** Takes jobs and runs, and keeps the schedules. */
export async function startWorker(config: Config, parts: Composition): Promise<{ close(): Promise<void> }> {
  const { accessLogs, queue, jobs } = parts;
  const { concurrency } = config.queue;
  const { encoder, images } = jobs;
  const recipe = recipeId(recipeVersion(encoder, images.versions));
  await noteRecipe(parts.db, recipe, { encoder: { ...encoder }, versions: images.versions });
  await queue.work('ingest', (payload, context) => ingest(jobs, payload, context), { concurrency });
  await queue.work('derive', (payload, context) => deriveRenditions(jobs, payload, context), {
    concurrency: 1,
  });
  await queue.work('scan-document', (payload, context) => scanDocument(jobs, payload, context), {
    concurrency: 1,
  });
  if (jobs.textReader !== null)
    await queue.work('read-text', (payload, context) => readText(jobs, payload, context), { concurrency: 1 });
  await parts.arrivals?.listen((key) => takeArrival(jobs, key));
  const runner = await startRunner(jobs, parts.listener, runHandlers(config, parts));
  const purges = await startPurges(config, parts);
  const sealer = startSealer(jobs);
  const searchFeed = startSearchFeed({ ...jobs, ...parts.searching, runs: parts.runs });
  const schedule = startSchedule(
    parts.db,
    [
      { name: 'sweep', everyMs: SWEEP_MS, run: () => sweep(jobs) },
      { name: 'probe withdrawn photos', everyMs: PROBE_MS, run: () => probeWithdrawn(jobs) },
      { name: 'bring originals back', everyMs: RESTORE_MS, run: () => advanceRestores(jobs) },
      canaryTask(jobs, config.safety.canaryMs),
      { name: 'review waits', everyMs: REVIEW_WAITS_MS, atOnce: true, run: () => watchReview(jobs) },
      {
        name: 'move evidence',
        everyMs: EVIDENCE_MS,
        run: () => moveEvidence({ ...jobs, backups: parts.backups }),
      },
      { name: 'make fingerprints late', everyMs: BACKFILL_MS, run: () => backfillFingerprints(jobs) },
      ...purges.tasks,
      ...(accessLogs === null
        ? []
        : [
            {
              name: 'read access logs',
              everyMs: ACCESS_LOGS_MS,
              atOnce: true,
              run: () => ingestAccessLogs({ ...jobs, accessLogs }),
            },
          ]),
      ...auditTasks(jobs, config.audit),
      {
        name: 'keep wrapping keys',
        everyMs: KEYS_MS,
        run: () => keepKeys({ ...jobs, vault: parts.keys }, config.keys),
      },
      {
        name: 'fold counters of storage',
        everyMs: FOLD_MS,
        run: () => parts.db.transaction().execute((trx) => foldStorage(trx)),
      },
      {
        name: 'abort abandoned uploads',
        everyMs: CLEAN_MS,
        run: () => abortAbandonedUploads(parts.store),
      },
      {
        name: 'start scrubs',
        everyMs: SCRUB_MS,
        run: () => startDueScrub({ ...jobs, runs: parts.runs }, config.scrub),
      },
      {
        name: 'start lifecycle runs',
        everyMs: LIFECYCLE_MS,
        run: () => startDueLifecycle({ ...jobs, runs: parts.runs }, config.lifecycle.runEveryHours),
      },
    ],
    jobs.log,
  );
  return {
    async close() {
      await Promise.all([
        schedule.close(),
        runner.close(),
        purges.close(),
        sealer.close(),
        searchFeed.close(),
        parts.arrivals?.close(ARRIVALS_CLOSE_MS),
        accessLogs?.close(),
      ]);
    },
  };
}
