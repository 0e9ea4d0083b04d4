import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, clientOf, expectNoObjects, expectProblem } from '#test/acceptance/client.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const MAY_MOUNT = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!MAY_MOUNT)('a full disk (skipped where no tmpfs can be mounted)', () => {
  let dataDir: string;
  let service: RunningService;
  let client: Client;

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'localex-full-'));
    const objects = path.join(dataDir, 'objects');
    await mkdir(objects);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', objects]).status).toBe(0);
    service = await startService({ dataDir, env: { LOG_LEVEL: 'error' } });
    client = clientOf(service.url);
  });
  afterAll(async () => {
    await service.stop();
    spawnSync('umount', [path.join(dataDir, 'objects')]);
    await rm(dataDir, { recursive: true, force: true });
  });

  test('answers 507, leaves nothing, and takes a photo that fits', async () => {
    const token = await client.token('seller-1', 'seller');
    const itemId = await client.listing(token);
    const photos = `/v1/items/${itemId}/photos`;
    const large = { name: 'large.jpg', type: 'image/jpeg', bytes: await largePhoto(1) };
    expectProblem(await client.upload(photos, large, { token }), 507, 'STORAGE_FULL');
    expect((await client.gallery(itemId, token)).photos).toEqual([]);
    await expectNoObjects(dataDir);
    const small = { ...large, bytes: await smallPhoto() };
    expect((await client.upload(photos, small, { token })).status).toBe(201);
  });
});

async function smallPhoto(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp({ create: { width: 640, height: 480, channels: 3, background: '#2a6' } })
    .jpeg()
    .toBuffer();
}
