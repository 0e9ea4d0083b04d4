import {
  addUsageIn,
  describeLogFile,
  forgetLogFiles,
  listCountedLogFiles,
  takeLogFile,
} from '../db/usage.ts';
import { forgetViewsBefore, markUsageIngested, usageIngestedUntil, viewsKnownSince } from '../db/views.ts';
import { fileIdOfPath } from '../domain/keys.ts';
import { createUsageTally } from '../domain/usage-tally.ts';
import type { AccessLogFile, AccessLogReading, AccessLogs, LoggedRequest } from '../ports/access-logs.ts';
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

/** Longer without a file means that delivery was off, or that nobody came: which of them, nobody can tell. */
const GAP_MS = 2 * DAY_MS;
/** For reading one file. */
const FILE_MS = 300_000;

/**
 * Counts what CloudFront's log files tell, each file once and in one transaction with the note that it was counted. What was
 * looked at is then known up to a day before the newest file that tells anything: where none is delivered, or none can be
 * read, nothing is known, and archiving goes on refusing. After a gap views are known from its end on, as after an installation. Errors: those of `AccessLogs.list`; a file that cannot be had is passed over until the next time.
 */
export async function ingestAccessLogs(deps: AccessLogDeps): Promise<AccessLogPass> {
  const { db, clock } = deps;
  const now = clock.now();
  const known = (await usageIngestedUntil(db)) ?? (await viewsKnownSince(db));
  const pass = { files: 0, lines: 0, damaged: 0, failed: 0 };
  const delivered: number[] = [];
  for await (const page of pages(deps.accessLogs.list(new Date(known.getTime() - LATEST_DELIVERY_MS), now))) {
    const counted = await listCountedLogFiles(
      db,
      page.map(({ key }) => key),
    );
    for (const file of page) {
      const lines = counted.get(file.key) ?? (await tryFile(deps, file, pass));
      if (lines > 0) delivered.push(file.deliveredAt.getTime());
    }
  }
  const newest = Math.max(...delivered);
  if (delivered.length > 0 && pass.failed === 0) {
    const until = Math.min(newest, now.getTime()) - LATEST_DELIVERY_MS;
    const afterGap = endOfGap([known.getTime() + LATEST_DELIVERY_MS, ...delivered]);
    if (afterGap !== null) await forgetViewsBefore(db, new Date(afterGap));
    await markUsageIngested(db, new Date(until));
    await forgetLogFiles(db, new Date(until - REMEMBERED_MS));
  }
  if (pass.files + pass.failed > 0) deps.log.info({ ...pass }, 'access logs were read');
  return pass;
}

/** When a file came after longer than {@link GAP_MS} without one, the last time; null when none did. */
function endOfGap(times: readonly number[]): number | null {
  const inOrder = times.toSorted((a, b) => a - b);
  return inOrder.findLast((time, at) => at > 0 && time - (inOrder[at - 1] ?? time) > GAP_MS) ?? null;
}

/** How many lines it told; none when it could not be had, or when another pass has it. */
async function tryFile(
  deps: AccessLogDeps,
  file: AccessLogFile,
  pass: { -readonly [K in keyof AccessLogPass]: number },
): Promise<number> {
  try {
    const reading = await deps.db.transaction().execute((trx) => countFile(trx, deps, file));
    if (reading === null) return 0;
    pass.files += 1;
    pass.lines += reading.lines;
    if (reading.damage !== null) {
      pass.damaged += 1;
      deps.log.warn({ key: file.key, damage: reading.damage }, 'a file of the access log is damaged');
    }
    return reading.lines;
  } catch (error) {
    pass.failed += 1;
    deps.log.warn({ err: error, key: file.key }, 'a file of the access log could not be read now');
    return 0;
  }
}

/** Null when somebody else has counted it meanwhile. */
async function countFile(
  trx: Db,
  { accessLogs, clock }: AccessLogDeps,
  file: AccessLogFile,
): Promise<AccessLogReading | null> {
  if (!(await takeLogFile(trx, file, { at: clock.now(), readMs: FILE_MS }))) return null;
  const tally = createUsageTally();
  const take = async (request: LoggedRequest) => {
    tally.add(request, fileIdOfPath(request.path));
    if (tally.size >= PHOTOS_A_BATCH) await addUsageIn(trx, 'cloudfront', tally.take());
  };
  const reading = await accessLogs.read(file, take, AbortSignal.timeout(FILE_MS));
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
