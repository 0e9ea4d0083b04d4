import { randomUUID } from 'node:crypto';
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { setArchive } from '../../../src/db/lifecycle.ts';
import { setStorageClass } from '../../../src/db/objects.ts';
import { Photo, Reservation } from '../../../src/http/schemas.ts';
import { type Client, clientOf, photoFile } from '../../../test/acceptance/client.ts';
import { distinctPhoto } from '../../../test/support/app.ts';
import { localStackServer } from '../../../test/support/s3-server.ts';
import { type Processes, startProcesses } from './processes.ts';

const localStack = localStackServer();
const Run = z.looseObject({ id: z.string(), state: z.string() });

describe.skipIf(localStack === null)(
  'a web process and a worker with the roles of the stacks (TEST_AWS_ENDPOINT)',
  { timeout: 120_000 },
  () => {
    let processes: Processes;
    let client: Client;
    let seller: string;
    let moderator: string;
    let admin: string;
    let item: string;
    beforeAll(async () => {
      if (localStack === null) return;
      processes = await startProcesses(localStack);
      client = clientOf(processes.web.url);
      seller = await client.token('seller-1', 'seller');
      moderator = await client.token('moderator-1', 'moderator');
      admin = await client.token('admin-1', 'admin');
      item = await client.listing(seller);
    });
    afterAll(() => processes.close());

    const file = async () => ({ name: 'a.jpg', type: 'image/jpeg', bytes: (await distinctPhoto()).body });
    const inReview = async () => {
      const { id } = (await client.upload(`/v1/items/${item}/photos`, await file(), { token: seller })).as(
        Photo,
      );
      await client.untilState(id, seller, 'in_review');
      return id;
    };
    const decide = (id: string, decision: string) =>
      ok('POST', `/v1/admin/photos/${id}/decision`, moderator, { decision, reason: 'As the rules say.' });
    const published = async () => {
      const id = await inReview();
      await decide(id, 'approve');
      return client.untilState(id, seller, 'ready');
    };
    async function ok(method: string, path: string, token: string, json?: object) {
      const reply = await client.call(method, path, { token, ...(json !== undefined && { json }) });
      expect(reply.status, `${method} ${path}: ${reply.body.toString()}`).toBeLessThan(300);
      return reply;
    }

    test('carry photos from upload to gallery, through review, appeal and removal', async () => {
      const ready = await published();
      for (const rendition of Object.values(ready.variants))
        expect((await client.call('GET', rendition?.auto ?? '')).status).toBe(200);
      await decide(ready.id, 'takedown');
      await ok('POST', `/v1/photos/${ready.id}/appeal`, seller, { message: 'It is my own.' });
      await decide(ready.id, 'approve');
      await client.untilState(ready.id, seller, 'ready');
      await decide(await inReview(), 'reject');
      await ok('GET', '/v1/admin/review', moderator);
      await ok('DELETE', `/v1/photos/${ready.id}`, seller);
      await ok('DELETE', `/v1/items/${item}/photos`, seller);
    });

    test('take resumable uploads and profile photos', async () => {
      const { bytes, name, type } = await file();
      const json = { kind: 'item_photo', itemId: item, filename: name, bytes: bytes.length, type };
      const { id, tus } = (await ok('POST', '/v1/uploads', seller, json)).as(Reservation);
      const half = Math.floor(bytes.length / 2);
      for (const [offset, body] of [
        [0, bytes.subarray(0, half)],
        [half, bytes.subarray(half)],
      ] as const) {
        const headers = {
          'tus-resumable': '1.0.0',
          'upload-offset': String(offset),
          'content-type': 'application/offset+octet-stream',
        };
        const sent = { token: seller, headers, body: Buffer.from(body) };
        const reply = await client.call('PATCH', tus.url, sent);
        expect(reply.status).toBe(204);
      }
      await client.untilState(id, seller, 'in_review');
      const path = '/v1/users/seller-1/profile-photo';
      await client.upload(path, await file(), { token: seller, method: 'PUT' });
      await ok('DELETE', path, seller);
    });

    test('encrypt documents, give them to their owner, and destroy them', async () => {
      const path = '/v1/users/seller-1/verification-documents';
      const { id } = (await client.upload(path, await photoFile('dogs.jpg'), { token: seller })).as(Photo);
      await client.untilState(id, seller, 'ready');
      await ok('GET', `/v1/verification-documents/${id}/content`, seller);
      await ok('DELETE', `/v1/verification-documents/${id}`, seller);
      expect(processes.asked.web).toContainEqual({ action: 'kms:Encrypt', resource: null });
    });

    test('bring back an archived original: the web process is asked, the worker asks S3', async () => {
      const { id } = await published();
      const { db } = processes.database;
      const { key } = await db
        .selectFrom('variants')
        .select('key')
        .where('file_id', '=', id)
        .where('name', '=', 'original')
        .executeTakeFirstOrThrow();
      const { client: s3, name } = processes.bucket;
      await s3.send(
        new CopyObjectCommand({
          Bucket: name,
          Key: key,
          CopySource: `${name}/${key}`,
          StorageClass: 'GLACIER',
        }),
      );
      await setStorageClass(db, key, 'GLACIER');
      await setArchive(db, id, 'none', 'archived');
      await ok('POST', `/v1/photos/${id}/restore`, seller);
      await vi.waitFor(() => expect(actionsOf('worker')).toContain('s3:RestoreObject'), WAIT);
      expect(actionsOf('web')).not.toContain('s3:RestoreObject');
    });

    test('make a wrapping key: the web process is asked, the worker makes it', async () => {
      const asked = { destroyOld: false, dryRun: false };
      const { id } = (await ok('POST', '/v1/admin/keys/rotation', admin, asked)).as(Run);
      await vi.waitFor(async () => {
        const reply = await ok('GET', `/v1/admin/runs/${id}`, admin);
        expect(reply.as(z.looseObject({ run: Run })).run.state).toBe('succeeded');
      }, WAIT);
      expect(actionsOf('worker')).toContain('kms:CreateKey');
      expect(actionsOf('web')).not.toContain('kms:CreateKey');
    });

    test('answer admins: holds, reports, the audit ledger, runs', async () => {
      const { id } = await published();
      await ok('PUT', `/v1/admin/photos/${id}/hold`, admin, { reason: `Case ${randomUUID()}` });
      await ok('DELETE', `/v1/admin/photos/${id}/hold`, admin);
      for (const path of ['storage-report', 'audit', 'runs']) await ok('GET', `/v1/admin/${path}`, admin);
      await ok('POST', '/v1/admin/audit/verify', admin, { scope: 'recent' });
      await ok('POST', '/v1/admin/lifecycle/run', admin, { dryRun: true });
      expect((await client.call('GET', '/readyz')).status).toBe(200);
    });

    test('ask for nothing that their roles do not allow', () => {
      expect(processes.refused).toEqual({ web: [], worker: [] });
      // What was looked at was worth it.
      for (const role of ['web', 'worker'] as const)
        for (const action of ['s3:PutObject', 's3:GetObject', 's3:DeleteObjectVersion', 'kms:Decrypt'])
          expect(actionsOf(role), role).toContain(action);
    });

    const actionsOf = (role: 'web' | 'worker') => processes.asked[role].map(({ action }) => action);
  },
);

const WAIT = { timeout: 30_000, interval: 50 };
