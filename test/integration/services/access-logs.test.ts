import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3AccessLogs } from '#src/adapters/access-logs/s3.ts';
import { dayOf } from '#src/domain/usage.ts';
import { ingestAccessLogs } from '#src/jobs/ingest-access-logs.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { createUsageService } from '#src/services/usage.service.ts';
import { usageIngestedUntil, viewsKnownSince } from '#src/db/views.ts';
import type { AccessLogs } from '#src/ports/access-logs.ts';
import {
  CRAWLER_AGENT,
  deliverLog,
  jsonLog,
  LOGGED_BYTES,
  type LoggedLine,
  w3cLog,
} from '#test/support/access-logs.ts';
import { ADMIN, listingWithPhotos } from '#test/support/ageing.ts';
import { startApp, type TestApp } from '#test/support/app.ts';
import { createTestBucket, type S3Server, type TestBucket, versityServer } from '#test/support/s3-server.ts';

const server = versityServer();
const NOW = new Date();
const TODAY = dayOf(NOW);
const folder = (day: string) => `cloudfront/AWSLogs/111122223333/CloudFront/${day.replaceAll('-', '/')}/`;

describe.skipIf(server === null)('what CloudFront logs (skipped without versitygw)', () => {
  let app: TestApp;
  let bucket: TestBucket;
  let logs: AccessLogs;
  let photos: readonly string[];
  const keyOf = (index: number, variant = 'large') =>
    `items/${variant}/bike/${photos[index]}-3f9a1c2b4d5e.jpg`;
  const seen = (index: number, change: Partial<LoggedLine> = {}): LoggedLine => ({
    at: NOW,
    path: keyOf(index),
    ...change,
  });
  const pass = (accessLogs: AccessLogs = logs) => ingestAccessLogs({ ...app.jobs, accessLogs });
  const views = async () =>
    new Map(
      (await app.db.selectFrom('photo_usage').selectAll().execute()).map(
        (row) => [row.file_id, row] as const,
      ),
    );

  beforeAll(async () => {
    if (server === null) return;
    app = await startApp();
    bucket = await createTestBucket(server);
    logs = accessLogsIn(server, bucket.name);
    photos = (await listingWithPhotos(app, 3)).photos;
  }, 60_000);
  afterAll(async () => {
    await logs?.close();
    await bucket?.close();
    await app?.close();
  });

  test('is not known before the first file, and then nothing is archived', async () => {
    expect(await pass()).toEqual({ files: 0, lines: 0, damaged: 0, failed: 0 });
    expect(await usageIngestedUntil(app.db)).toBeNull();
    const { refused } = await behindCloudfront(app).archiveOldFiles();
    expect(refused.map(({ code }) => code)).toContain('USAGE_NOT_CURRENT');
  });

  test('in files of which nothing can be read is not known either', async () => {
    await deliverLog(bucket, `${folder(TODAY)}09/other-fields.json.gz`, '{"date":"2026-11-24","c-ip":"-"}\n');
    await deliverLog(bucket, `${folder(TODAY)}09/empty.json.gz`, '');
    expect(await pass()).toEqual({ files: 2, lines: 0, damaged: 1, failed: 0 });
    expect(await pass()).toMatchObject({ files: 0 });
    expect(await usageIngestedUntil(app.db)).toBeNull();
  });

  test('is counted once, in either format, robots apart, as far as it is a view of a photo that there is', async () => {
    await deliverLog(
      bucket,
      `${folder(TODAY)}10/E1.json.gz`,
      jsonLog([
        seen(0),
        seen(0, { path: keyOf(0, 'thumbnail'), result: 'Miss' }),
        seen(0, { path: keyOf(0).replace('.jpg', '.auto'), status: 304 }),
        seen(0, { status: 403, result: 'Error' }),
        seen(0, { method: 'HEAD' }),
        seen(1, { agent: CRAWLER_AGENT }),
        { at: NOW, path: `items/large/bike/019a8c6e-6c1e-7b57-9d0c-000000000009-3f9a1c2b4d5e.jpg` },
        { at: NOW, path: 'favicon.ico', result: 'Error', status: 403 },
      ]),
    );
    await deliverLog(
      bucket,
      `${folder(TODAY)}11/E1.w3c.gz`,
      w3cLog([
        seen(0),
        seen(2, { status: 206, rangeStart: '0' }),
        seen(2, { status: 206, rangeStart: '500' }),
        seen(1, { agent: CRAWLER_AGENT, result: 'RefreshHit' }),
      ]),
    );
    expect(await pass()).toEqual({ files: 2, lines: 12, damaged: 0, failed: 0 });
    expect(await pass()).toEqual({ files: 0, lines: 0, damaged: 0, failed: 0 });
    // Passes that overlap: each file is taken by one of them.
    await deliverLog(bucket, `${folder(TODAY)}12/E1.json.gz`, jsonLog([seen(0)]));
    const together = await Promise.all([pass(), pass(), pass()]);
    expect(together.reduce((sum, { files }) => sum + files, 0)).toBe(1);

    const counted = await views();
    expect(counted.get(photos[0] ?? '')).toMatchObject({ views: 5, robot_views: 0, bytes: 5 * LOGGED_BYTES });
    expect(counted.get(photos[1] ?? '')).toMatchObject({ views: 0, robot_views: 2 });
    expect(counted.get(photos[2] ?? '')).toMatchObject({ views: 1 });
    expect(counted.size).toBe(3);
    const lookedAt = await app.db.selectFrom('file_views').select('file_id').execute();
    expect(new Set(lookedAt.map(({ file_id }) => file_id))).toEqual(new Set([photos[0], photos[2]]));

    const report = await createUsageService({ ...app.jobs, viewsComeFrom: 'logs' }).report(ADMIN);
    expect(report.days).toMatchObject([
      { day: TODAY, requests: 13, robotRequests: 2, hits: 10, misses: 1, errors: 2, views: 6, photos: 2 },
    ]);
    expect(report.days[0]?.hitRatio).toBeCloseTo(10 / 11);
    expect(report.accessLogs?.damaged).toHaveLength(1);
  });

  test('makes what is known a day older than the newest file, and archiving goes on', async () => {
    const until = await usageIngestedUntil(app.db);
    const age = Date.now() - (until?.getTime() ?? 0);
    expect(age).toBeGreaterThanOrEqual(24 * 3_600_000);
    expect(age).toBeLessThan(25 * 3_600_000);
    const { refused } = await behindCloudfront(app).archiveOldFiles();
    expect(refused.map(({ code }) => code)).not.toContain('USAGE_NOT_CURRENT');
  });

  test('of a file that is cut off, or holds what is no log, is counted as far as it can be read, and told', async () => {
    const before = (await views()).get(photos[2] ?? '')?.views ?? 0;
    const whole = gzipSync(jsonLog(Array.from({ length: 20_000 }, () => seen(2))), { level: 0 });
    await deliverLog(bucket, `${folder(TODAY)}13/cut.json.gz`, whole.subarray(0, whole.length / 2));
    await deliverLog(bucket, `${folder(TODAY)}13/garbage.json.gz`, Buffer.from('no gzip'));
    const mixed = `${jsonLog([seen(2)])}{"date":"yesterday"}\nnonsense\n${'x'.repeat(1_000_000)}\n${jsonLog([seen(2)])}`;
    await deliverLog(bucket, `${folder(TODAY)}13/mixed.json.gz`, mixed);
    const result = await pass();
    expect(result).toMatchObject({ files: 3, damaged: 3, failed: 0 });
    expect(result.lines).toBeGreaterThan(5_000);
    expect(result.lines).toBeLessThan(20_000);
    expect((await views()).get(photos[2] ?? '')?.views).toBe(before + result.lines);
    const { accessLogs } = await createUsageService({ ...app.jobs, viewsComeFrom: 'logs' }).report(ADMIN);
    expect(accessLogs?.damaged.map(({ key, damage }) => [key.split('/').at(-1), damage]).toSorted()).toEqual([
      ['cut.json.gz', 'it is cut off or no gzip (Z_BUF_ERROR)'],
      ['garbage.json.gz', 'it is cut off or no gzip (Z_DATA_ERROR)'],
      ['mixed.json.gz', '3 lines are none of a log'],
      ['other-fields.json.gz', '1 lines are none of a log'],
    ]);
  });

  test('of a file that cannot be had now is counted the next time, and what is known does not move meanwhile', async () => {
    const key = `${folder(TODAY)}14/later.json.gz`;
    await deliverLog(bucket, key, jsonLog([seen(1), seen(1)]));
    const until = await usageIngestedUntil(app.db);
    const brokenHalfway: AccessLogs = {
      ...logs,
      read: (file, take) =>
        logs.read(file, async (request) => {
          await take(request);
          throw new Error('the connection broke');
        }),
    };
    expect(await pass(brokenHalfway)).toMatchObject({ files: 0, failed: 1 });
    expect(await usageIngestedUntil(app.db)).toEqual(until);
    expect((await views()).get(photos[1] ?? '')?.views).toBe(0);
    expect(await pass()).toMatchObject({ files: 1, lines: 2 });
    expect((await views()).get(photos[1] ?? '')?.views).toBe(2);
  });

  test('cannot be listed where the bucket is none, and the pass says so', async () => {
    const elsewhere = accessLogsIn(bucket.server, 'no-such-bucket-here');
    await expect(pass(elsewhere)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      details: { reason: 'NoSuchBucket' },
    });
    await elsewhere.close();
  });

  test('is known from the end of a gap on, in which delivery may have been off', async () => {
    const before = await viewsKnownSince(app.db);
    expect(await pass()).toMatchObject({ failed: 0 });
    expect(await viewsKnownSince(app.db), 'without a gap').toEqual(before);
    const later = (days: number) => new Date(Date.now() + days * 86_400_000);
    const clock = { now: () => later(10) };
    const withGap: AccessLogs = {
      ...logs,
      async *list() {
        yield { key: 'soon', etag: '1', bytes: 1, deliveredAt: later(1) };
        yield { key: 'late', etag: '2', bytes: 1, deliveredAt: later(9) };
      },
      async read(_file, take) {
        await take({
          at: NOW,
          method: 'GET',
          status: 200,
          bytes: 1,
          delivery: 'hit',
          rangeStart: null,
          isRobot: false,
          path: 'x',
        });
        return { lines: 1, damage: null };
      },
    };
    await ingestAccessLogs({ ...app.jobs, clock, accessLogs: withGap });
    const known = await viewsKnownSince(app.db);
    expect(Math.abs(known.getTime() - later(9).getTime())).toBeLessThan(60_000);
  });
});

function accessLogsIn({ endpoint, region, credentials }: S3Server, bucket: string): AccessLogs {
  const prefix = folder('{yyyy}-{MM}-{dd}');
  const cdnUrl = 'https://cdn.example.com';
  return createS3AccessLogs({ bucket, prefix, cdnUrl, region, endpoint, forcePathStyle: true, credentials });
}

function behindCloudfront(app: TestApp) {
  return createLifecycleService({
    ...app.jobs,
    viewsComeFrom: 'logs',
    capabilities: app.store.capabilities,
    sweepIncomplete: async () => 0,
  });
}
