import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  createFilesystemObjectStore,
  verifyGetUrl,
  verifyPostForm,
} from '#src/adapters/object-store/filesystem.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { StoreUnderTest } from './object-store/support.ts';
import { objectStoreContract } from './object-store.contract.ts';

const signer = { signingKey: new Uint8Array(32).fill(7), clock: systemClock };

objectStoreContract('the file system', async (): Promise<StoreUnderTest> => {
  const root = await mkdtemp(join(tmpdir(), 'object-store-'));
  const store = await createFilesystemObjectStore({
    root,
    publicUrl: 'http://store.test',
    ...signer,
    fsync: false,
  });
  return {
    store,
    // What the HTTP routes do with these functions; the routes have tests of their own.
    get: (url) =>
      answered(async () => {
        const { pathname, searchParams } = new URL(url);
        const key = verifyGetUrl(
          {
            key: decodeURIComponent(pathname.replace('/store/', '')),
            expires: searchParams.get('expires') ?? '',
            signature: searchParams.get('signature') ?? '',
          },
          signer,
        );
        const { body } = await store.get(key);
        return buffer(body);
      }),
    post: async ({ fields, file }) => {
      const { status } = await answered(async () => {
        const { key, contentType, maxBytes } = verifyPostForm(fields, signer);
        if (file.length >= 1 && file.length <= maxBytes) await store.put(key, file, { contentType });
        else throw new RangeError('the size is not allowed');
        return Buffer.alloc(0);
      });
      return status;
    },
    leaveUnfinished: () => writeFile(join(root, '#tmp', randomUUID()), 'half'),
    stop: () => rm(root, { recursive: true }),
  };
});

async function answered(work: () => Promise<Buffer>): Promise<{ status: number; body: Buffer }> {
  try {
    return { status: 200, body: await work() };
  } catch (error) {
    if (isStorageError(error, 'FORBIDDEN')) return { status: 403, body: Buffer.alloc(0) };
    if (error instanceof RangeError) return { status: 400, body: Buffer.alloc(0) };
    throw error;
  }
}
