import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorker } from '#src/app/worker.ts';
import { loadConfig } from '#src/config/index.ts';
import { findFile } from '#src/db/files.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { takeArrival } from '#src/jobs/take-arrival.ts';
import { distinctPhoto, expectNoOrphans, untilDelivered, untilState } from '#test/support/app.ts';
import { type DirectApp, sha256Of, startDirectApp } from '#test/support/direct-app.ts';
import { postForm } from '#test/support/direct-form.ts';
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { cephServer, localStackServer } from '#test/support/s3-server.ts';

const server = cephServer();

describe.skipIf(server === null)('a form that is sent again (skipped without TEST_S3_ENDPOINT)', () => {
  let on: DirectApp;
  beforeAll(async () => {
    if (server !== null) on = await startDirectApp(server);
  });
  afterAll(async () => on?.close());

  test('before completion, the last bytes count', async () => {
    const first = await distinctPhoto('1'.repeat(36));
    const second = await distinctPhoto('2'.repeat(36));
    const { id, direct } = await on.reserve({ body: first.body });
    await postForm(direct, first.body);
    await postForm(direct, second.body);
    expect((await on.complete(id)).sha256).toBe(sha256Of(second.body));
  });

  test('again and again while it is completed, the photo is one of those that were sent, whole', async () => {
    const bodies = await Promise.all(
      ['a', 'b'].map(async (mark) => (await distinctPhoto(mark.repeat(36))).body),
    );
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = bodies;
    for (let round = 0; round < 5; round += 1) {
      const { id, direct } = await on.reserve({ body: first });
      await postForm(direct, first);
      const replays = (async () => {
        for (let count = 0; count < 20; count += 1) await postForm(direct, count % 2 === 0 ? second : first);
      })();
      const told = await Promise.allSettled([on.complete(id), takeArrival(on.app.jobs, uploadKey(id))]);
      await replays;
      const refusals = told.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(refusals.filter((error) => !isStorageError(error, 'CONFLICT'))).toEqual([]);
      await sweep(on.later(3));
      const file = await untilState(on.app, id, 'ready', 'deleted');
      const standing = file.state === 'ready' ? file : await findFile(on.app.db, file.duplicate_of ?? '');
      expect([sha256Of(first), sha256Of(second)]).toContain(standing?.upload_sha256);
      await on.app.files.deletePhoto(on.who, fileId(standing?.id ?? '')).catch(() => undefined);
      await untilDelivered(on.app);
    }
  });

  test('between completion and processing, the bytes that were completed are published', async () => {
    if (server === null) return;
    const idle = await startDirectApp(server, { worker: false });
    try {
      const good = (await distinctPhoto('3'.repeat(36))).body;
      const evil = (await distinctPhoto('4'.repeat(36))).body;
      const { id, direct } = await idle.reserve({ body: good });
      await postForm(direct, good);
      await idle.complete(id, 0);
      await untilDelivered(idle.app);
      // The form still works, and the bucket takes it: nothing of it is read.
      expect((await postForm(direct, evil)).status).toBe(204);
      expect((await postForm(direct, htmlNamedJpg().bytes)).status).toBe(204);
      const worker = await startWorker(loadConfig({ ...idle.bucket.settings }), idle.app);
      expect((await untilState(idle.app, id, 'ready')).upload_sha256).toBe(sha256Of(good));
      await worker.close();
      await untilDelivered(idle.app);
      // What was sent again stays until somebody tells of it, or the form has ended.
      expect(await idle.temporary(id)).toEqual([uploadKey(id)]);
      await takeArrival(idle.app.jobs, uploadKey(id));
      expect(await idle.temporary(id)).toEqual([]);
      await expectNoOrphans(idle.app);
    } finally {
      await idle.close();
    }
  });

  test('after it was completed, or refused, nothing changes, and it is gone once the form has ended', async () => {
    const done = await on.reserve();
    await postForm(done.direct, done.body);
    await on.complete(done.id);
    const ready = await untilState(on.app, done.id, 'ready');
    const refused = await on.reserve({ sha256: 'c'.repeat(64) });
    await postForm(refused.direct, refused.body);
    await expect(on.complete(refused.id)).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
    await untilState(on.app, refused.id, 'deleted');
    const given = await on.reserve();
    await on.app.files.deletePhoto(on.who, given.id);
    await untilDelivered(on.app);

    for (const { direct, body } of [done, refused, given]) {
      const other = (await distinctPhoto('5'.repeat(36))).body.subarray(0, body.length);
      expect((await postForm(direct, other)).status).toBe(204);
    }
    expect((await on.complete(done.id)).sha256).toBe(ready.upload_sha256);
    await sweep(on.later(30));
    for (const { id } of [done, refused]) expect(await on.temporary(id)).toEqual([uploadKey(id)]);
    await sweep(on.later(80));
    for (const { id } of [done, refused, given]) expect(await on.temporary(id)).toEqual([]);
    expect(await findFile(on.app.db, done.id)).toMatchObject({ state: 'ready', form_expires_at: null });
  });
});

/** Ceph 16.2 keeps no create-only writes where it keeps versions, and copies nothing that is encrypted. */
const awsLike = localStackServer();

describe.skipIf(awsLike === null).each<[string, { versioned?: boolean; env: Record<string, string> }]>([
  ['keeps every version', { versioned: true, env: {} }],
  ['encrypts with KMS', { env: { S3_SSE: 'kms' } }],
])('a form posted to a bucket that %s (skipped without TEST_AWS_ENDPOINT)', (_what, options) => {
  test('is pinned to what was completed, and all of it is gone in the end', async () => {
    if (awsLike === null) return;
    const on = await startDirectApp(awsLike, { ...options, worker: false });
    try {
      const good = (await distinctPhoto('6'.repeat(36))).body;
      const evil = (await distinctPhoto('7'.repeat(36))).body;
      const { id, direct } = await on.reserve({ body: good });
      for (const body of [evil, good]) expect((await postForm(direct, body)).status).toBe(204);
      await on.complete(id, 0);
      await postForm(direct, evil);
      const worker = await startWorker(loadConfig({ ...on.bucket.settings, ...options.env }), on.app);
      expect((await untilState(on.app, id, 'ready')).upload_sha256).toBe(sha256Of(good));
      await sweep(on.later(80));
      await untilDelivered(on.app);
      const { Versions = [] } = await on.bucket.client.send(
        new ListObjectVersionsCommand({ Bucket: on.bucket.name, Prefix: 'temp/' }),
      );
      expect(Versions.map(({ Key }) => Key)).toEqual([]);
      await worker.close();
    } finally {
      await on.close();
    }
  });
});
