import { randomBytes } from 'node:crypto';
import {
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileId } from '#src/domain/ids.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import { ADMIN, MODERATOR, type TestApp, until, untilDelivered } from '#test/support/app.ts';
import {
  createTestBucket,
  localStackServer,
  type TestBucket,
  versityServer,
} from '#test/support/s3-server.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import { bytesAt } from './legal-hold-harness.ts';
import { expectWhole, readyPhoto, scrub } from './scrub-harness.ts';

/** In a process of its own: the SDK finds credentials in the environment. */
const SERVERS = [
  [localStackServer(), 'TEST_AWS_ENDPOINT'],
  [versityServer(), 'TEST_S3_SECOND_ENDPOINT'],
] as const;

for (const [server, variable] of SERVERS)
  describe.skipIf(server === null)(`in a bucket that has stopped to keep versions (${variable})`, () => {
    let served: ServedApp;
    let app: TestApp;
    let bucket: TestBucket;
    beforeAll(async () => {
      if (server === null) return;
      bucket = await createTestBucket(server);
      const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = bucket.settings;
      Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
      served = await startServedApp({ env, backups: [] });
      app = served.app;
    });
    afterAll(async () => {
      await served?.close();
      await bucket?.close();
    });

    const at = (key: string) => ({ Bucket: bucket.name, Key: key });
    const keep = (Status: 'Enabled' | 'Suspended') =>
      bucket.client.send(
        new PutBucketVersioningCommand({ Bucket: bucket.name, VersioningConfiguration: { Status } }),
      );

    /** Written by somebody else, described as it was. */
    async function put(key: string, Body: Buffer, Tagging?: string): Promise<void> {
      const { ContentType, CacheControl } = await bucket.client.send(new HeadObjectCommand(at(key)));
      const described = { ContentType, CacheControl, Tagging };
      await keep('Enabled');
      await bucket.client.send(new PutObjectCommand({ ...at(key), Body, ...described }));
      await keep('Suspended');
    }

    /** Wrong bytes over what was there before the bucket kept versions: a delete would destroy that. */
    async function overwrite(key: string): Promise<Buffer> {
      const wrong = randomBytes(5000);
      await put(key, wrong);
      return wrong;
    }

    async function tagsOf(key: string): Promise<string[]> {
      const { TagSet = [] } = await bucket.client.send(new GetObjectTaggingCommand(at(key)));
      return TagSet.map(({ Key, Value }) => `${Key}=${Value}`);
    }

    async function versionsOf(key: string): Promise<number> {
      const page = await bucket.client.send(
        new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: key }),
      );
      return (page.Versions ?? []).length + (page.DeleteMarkers ?? []).length;
    }

    test('bytes that are lost are tagged, and read by nobody at our own edge, until the right ones are there', async () => {
      const photo = await readyPhoto(app);
      const key = photo.key('original');
      const good = await bytesAt(app, key);
      expect(await served.status(key)).toBe(200);
      await overwrite(key);
      const { actions } = await scrub(app, { deep: true });
      expect(actions.find(({ action }) => action === 'postpone')).toMatchObject({
        subject: key,
        details: { withheld: true },
      });
      await untilDelivered(app);
      expect(await tagsOf(key)).toEqual(['localex-withheld=yes']);
      expect(await versionsOf(key)).toBe(2);
      expect(await served.status(key)).toBe(404);

      await put(key, good, 'localex-withheld=yes&team=photos');
      expect((await scrub(app, { deep: false })).about(photo.id)).toEqual(['recover original.jpg']);
      await untilDelivered(app);
      expect(await tagsOf(key)).toEqual(['team=photos']);
      expect(await served.status(key)).toBe(200);
      await expectWhole(app, photo.id);
    });

    test('evidence that was changed is moved once, and goes with all its versions when the hold is lifted', async () => {
      const photo = await readyPhoto(app);
      const id = fileId(photo.id);
      const key = photo.key('original');
      await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
      const wrong = await overwrite(key);
      await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed' });
      const evidence = async () => (await app.lifecycle.getHold(ADMIN, id)).evidence[0];
      await until('the move', async () => ((await evidence())?.state === 'moved' ? true : null));
      await untilDelivered(app);
      expect(await evidence()).toMatchObject({ state: 'moved', error: null });
      expect((await bytesAt(app, evidenceKey(key) ?? '')).equals(wrong)).toBe(true);
      expect(await tagsOf(key)).toEqual(['localex-withheld=yes']);
      expect(await versionsOf(key)).toBe(2);
      expect(await served.status(key)).toBe(404);
      await app.lifecycle.releaseHold(ADMIN, id);
      await untilDelivered(app);
      expect(await versionsOf(key)).toBe(0);
    });
  });
