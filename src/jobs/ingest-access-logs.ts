import {
  addUsageIn,
  describeLogFile,
  forgetLogFiles,
  listCountedLogFiles,
  takeLogFile,
} from '../db/usage.ts';
import { markUsageIngested, usageIngestedUntil, viewsKnownSince } from '../db/views.ts';
import { fileIdOfPath } from '../domain/keys.ts';
import { createUsageTally } from '../domain/usage-tally.ts';
import type { AccessLogFile, AccessLogReading, AccessLogs } from '../ports/access-logs.ts';
import type { Db } from '../db/schema.ts';
import type { JobDeps } from './deps.ts';

export interface AccessLogDeps extends Pick<JobDeps, 'db' | 'clock' | 'log'> {
  readonly accessLogs: AccessLogs;
}

/** What a pass over the access logs did. */
export interface AccessLogPass {
  readonly files: number;
  readonly lines: number;
  /** That could not be read wholly. */
  readonly damaged: number;
  /** That could not be had now, and are tried again. */
  readonly failed: number;
}

const DAY_MS = 86_400_000;
/** "Some or all log file entries for a time period can sometimes be delayed by up to 24 hours" (CloudFront Developer Guide). */
const LATEST_DELIVERY_MS = DAY_MS;
/** Longer than anything is listed. */
const REMEMBERED_MS = 60 * DAY_MS;
const FILES_A_QUERY = 500;
/** Photos whose views are in memory at one time. */
const PHOTOS_A_BATCH = 20_000;

/**
 * Counts what CloudFront's log files tell, each file once and in one transaction with the note that it was counted. What was
 * looked at is then known up to a day before the newest file: where none is delivered, nothing is known, and archiving
 * goes on refusing. Errors: those of `AccessLogs.list`; a file that cannot be had is passed over until the next time.
 */
export async function ingestAccessLogs(deps: AccessLogDeps): Promise<AccessLogPass> {
  const { db, clock } = deps;
  const now = clock.now();
  const known = (await usageIngestedUntil(db)) ?? (await viewsKnownSince(db));
  const pass = { files: 0, lines: 0, damaged: 0, failed: 0 };
  let newest: Date | null = null;
  for await (const page of pages(deps.accessLogs.list(new Date(known.getTime() - LATEST_DELIVERY_MS), now))) {
    for (const { deliveredAt } of page) if (newest === null || newest < deliveredAt) newest = deliveredAt;
    const counted = await listCountedLogFiles(
      db,
      page.map(({ key }) => key),
    );
    for (const file of page) if (!counted.has(file.key)) await tryFile(deps, file, pass);
  }
  if (newest !== null && pass.failed === 0) {
    const until = Math.min(newest.getTime(), now.getTime()) - LATEST_DELIVERY_MS;
    await markUsageIngested(db, new Date(until));
    await forgetLogFiles(db, new Date(until - REMEMBERED_MS));
  }
  if (pass.files + pass.failed > 0) deps.log.info({ ...pass }, 'access logs were read');
  return pass;
}

async function tryFile(
  deps: AccessLogDeps,
  file: AccessLogFile,
  pass: { -readonly [K in keyof AccessLogPass]: number },
): Promise<void> {
  try {
    const reading = await deps.db.transaction().execute((trx) => countFile(trx, deps, file));
    if (reading === null) return;
    pass.files += 1;
    pass.lines += reading.lines;
    if (reading.damage === null) return;
    pass.damaged += 1;
    deps.log.warn({ key: file.key, damage: reading.damage }, 'a file of the access log is damaged');
  } catch (error) {
    pass.failed += 1;
    deps.log.warn({ err: error, key: file.key }, 'a file of the access log could not be read now');
  }
}

/** Null when somebody else has counted it meanwhile. */
async function countFile(
  trx: Db,
  { accessLogs, clock }: AccessLogDeps,
  file: AccessLogFile,
): Promise<AccessLogReading | null> {
  if (!(await takeLogFile(trx, file, clock.now()))) return null;
  const tally = createUsageTally();
  const reading = await accessLogs.read(file, async (request) => {
    tally.add(request, fileIdOfPath(request.path));
    if (tally.size >= PHOTOS_A_BATCH) await addUsageIn(trx, 'cloudfront', tally.take());
  });
  await addUsageIn(trx, 'cloudfront', tally.take());
  await describeLogFile(trx, file.key, reading);
  return reading;
}

async function* pages(files: AsyncIterable<AccessLogFile>): AsyncGenerator<readonly AccessLogFile[]> {
  let page: AccessLogFile[] = [];
  for await (const file of files) {
    page.push(file);
    if (page.length < FILES_A_QUERY) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
