import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { Photo } from '#src/http/schemas.ts';
import type { Client } from '#test/acceptance/client.ts';
import { distinctPhoto, until } from '#test/support/app.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import type { RunningService } from '#test/support/service.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

type PhotoView = z.output<typeof Photo>;

const SETTINGS = {
  MODERATION_DRIVER: 'local,rekognition',
  REKOGNITION_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  SAFETY_CHECK_TIMEOUT_MS: '3000',
  QUEUE_ATTEMPTS: '2',
  QUEUE_LOCK_MS: '10000',
  QUEUE_BACKOFF_BASE_MS: '100',
  QUEUE_BACKOFF_MAX_MS: '300',
  IMAGE_PROCESSES: '2',
  IMAGE_STEP_TIMEOUT_MS: '10000',
  IMAGE_MEMORY_MB: '448',
  // What the header of a bomb says is let through: its memory is what ends it.
  IMAGE_MAX_PIXELS: '500000000',
};

let faulty: CrashingService;
let rekognition: ChildProcess;
let client: Client;
let service: RunningService;
let token: string;
let item: string;

describe.runIf(process.platform === 'linux')('one service, whose photos', () => {
  beforeAll(async () => {
    rekognition = spawn(process.execPath, [
      fileURLToPath(new URL('rekognition-process.ts', import.meta.url)),
    ]);
    const [endpoint]: unknown[] = await once(rekognition.stdout ?? rekognition, 'data');
    faulty = await crashingService();
    ({ service, client } = await faulty.start({
      ...SETTINGS,
      REKOGNITION_ENDPOINT: String(endpoint).trim(),
    }));
    token = await client.token('seller-1');
    item = await client.listing(token);
  }, 60_000);
  afterAll(async () => {
    rekognition.kill('SIGKILL');
    await faulty.close();
  });

  async function upload(file?: { name: string; type: string; bytes: Buffer }): Promise<PhotoView> {
    const { body, filename } = await distinctPhoto();
    const photo = file ?? { name: filename, type: 'image/jpeg', bytes: body };
    const reply = await client.upload(`/v1/items/${item}/photos`, photo, {
      token,
      headers: { prefer: 'respond-async' },
    });
    return reply.as(Photo);
  }

  const rowOf = ({ id }: PhotoView) =>
    faulty.db.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  /** Does something to the image processes as soon as there are any, until `isOver`. */
  async function harass(name: NodeJS.Signals, isOver: () => Promise<boolean>): Promise<void> {
    while (!(await isOver())) {
      for (const pid of await imageProcesses()) process.kill(pid, name);
      await pause(1);
    }
  }

  /** From the list of the service's own children: looking through all processes takes as long as a photo. */
  async function imageProcesses(): Promise<number[]> {
    const list = await readFile(`/proc/${service.pid}/task/${service.pid}/children`, 'utf8');
    const pids = list.trim().split(' ').filter(Boolean).map(Number);
    const commands = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    return pids.filter((_, at) => commands[at]?.includes('images/worker/main'));
  }

  async function isAt(photo: PhotoView, ...stages: readonly string[]): Promise<boolean> {
    const { stage, state } = await rowOf(photo);
    return state === 'checking' && stages.includes(stage ?? '');
  }

  async function expectNeverPublic({ id }: PhotoView): Promise<void> {
    const events = await faulty.db
      .selectFrom('file_events')
      .select('state')
      .where('file_id', '=', id)
      .execute();
    expect(events.map(({ state }) => state)).not.toContain('published');
    expect((await client.call('GET', `/v1/photos/${id}`)).status).toBe(404);
  }

  /** Tried as often as it may be, then before a person, with a view to look at. */
  async function expectHeld(photo: PhotoView): Promise<void> {
    const held = await client.untilState(photo.id, token, 'in_review', 'failed', 'ready');
    expect(held).toMatchObject({ state: 'in_review', reason: { code: 'MODERATOR_UNAVAILABLE' } });
    expect((await rowOf(photo)).attempts).toBe(2);
    await expectNeverPublic(photo);
  }

  const untilReady = (photo: PhotoView) => client.untilState(photo.id, token, 'ready');

  describe('lose the codec (row 23)', () => {
    test('a crash at every try ends that photo with a reason, and the next is published', async () => {
      await untilReady(await upload());
      const large = await largePhoto();
      const photo = await upload({ name: 'large.jpg', type: 'image/jpeg', bytes: large });
      const isSettled = async () => ['failed', 'in_review'].includes((await rowOf(photo)).state);
      await harass('SIGSEGV', isSettled);
      const failed = await client.untilState(photo.id, token, 'failed');
      expect(failed.reason?.code).toBe('PROCESSING_FAILED');
      await expectNeverPublic(photo);
      expect(await untilReady(await upload())).toMatchObject({ warnings: [] });
    }, 60_000);

    test('one that hangs is ended at its time limit, and the photo is tried again', async () => {
      const photo = await upload();
      await until('it to be at work', async () => ((await isAt(photo, 'decode', 'moderate')) ? true : null));
      const stopped = await imageProcesses();
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
      await untilReady(photo);
      const left = await imageProcesses();
      expect(stopped.some((pid) => !left.includes(pid))).toBe(true);
      for (const pid of left.filter((one) => stopped.includes(one))) process.kill(pid, 'SIGCONT');
    }, 60_000);

    test('an image that takes 2 GB when it is decoded ends itself only', async () => {
      const bytes = await progressiveJpegOf(22_000);
      const bomb = await upload({ name: 'bomb.jpg', type: 'image/jpeg', bytes });
      const other = await upload();
      await untilReady(other);
      const failed = await client.untilState(bomb.id, token, 'failed', 'ready', 'in_review');
      expect(failed).toMatchObject({ state: 'failed', reason: { code: 'PROCESSING_FAILED' } });
      await expectNeverPublic(bomb);
      // By its memory; on a machine that is busy enough its time is over before.
      expect(service.output()).toMatch(/"reason":"(memory|timeout)"/);
    }, 60_000);
  });

  describe('lose a moderator (row 14)', () => {
    test('one that answers garbage publishes nothing', async () => {
      rekognition.stdin?.write('garbage\ngarbage\n');
      await expectHeld(await upload());
      await untilReady(await upload());
    }, 60_000);

    test('one that is stopped is waited for, then photos go to a person; afterwards they are published again', async () => {
      rekognition.kill('SIGSTOP');
      try {
        await expectHeld(await upload());
      } finally {
        rekognition.kill('SIGCONT');
      }
      await untilReady(await upload());
    }, 60_000);

    test('one that is dead leaves photos to a person, and what is public is served', async () => {
      const before = await untilReady(await upload());
      rekognition.kill('SIGKILL');
      await once(rekognition, 'exit');
      await expectHeld(await upload());
      expect((await fetch(before.variants.large?.auto ?? '')).status).toBe(200);
    }, 60_000);
  });
});

/**
 * A grey square in several scans whose frame says that it has so many pixels a side: a decoder keeps the coefficients of the
 * whole until the last scan, 6 bytes a pixel, whatever becomes of the file's half a kilobyte.
 */
async function progressiveJpegOf(side: number): Promise<Buffer> {
  const small = { width: 64, height: 64, channels: 3, background: '#888' } as const;
  const jpeg = await sharp({ create: small })
    .jpeg({ progressive: true, chromaSubsampling: '4:4:4' })
    .toBuffer();
  let at = 2;
  while (jpeg[at + 1] !== PROGRESSIVE_FRAME) at += 2 + jpeg.readUInt16BE(at + 2);
  jpeg.writeUInt16BE(side, at + 5);
  jpeg.writeUInt16BE(side, at + 7);
  return jpeg;
}

/** SOF2 (ITU-T T.81, table B.1). */
const PROGRESSIVE_FRAME = 0xc2;
