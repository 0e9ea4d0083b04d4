import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileId } from '#src/domain/ids.ts';
import { createTusUploads, TUS_LIFETIME_MS } from '#src/http/tus-uploads.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { doubles, PHOTO_ID } from './service-doubles.ts';

test('a resumable upload is swept away after a day, and not before', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'localex-tus-'));
  const tus = createTusUploads({ directory, files: doubles().files, log: silentLog });
  const id = fileId(PHOTO_ID);
  try {
    await tus.create(id, { bytes: 10, filename: 'a.jpg', type: 'image/jpeg' });
    expect(await tus.sweep(new Date(Date.now() + TUS_LIFETIME_MS - 60_000))).toBe(0);
    expect(await tus.has(id)).toBe(true);
    expect(await tus.sweep(new Date(Date.now() + TUS_LIFETIME_MS + 60_000))).toBe(1);
    expect(await tus.has(id)).toBe(false);
    expect(await readdir(directory)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
