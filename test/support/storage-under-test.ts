import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { createS3ObjectStore } from '#src/adapters/object-store/s3.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { cephServer, createTestBucket, type TestBucket } from './s3-server.ts';
import { optionsFor } from './s3-store.ts';

/**
 * Where the services that tests start keep their objects: below their data folder or, with TEST_STORAGE_DRIVER=s3, in a
 * bucket of Ceph for each data folder. The suites are the same.
 */
export const USES_BUCKET = process.env['TEST_STORAGE_DRIVER'] === 's3';

const buckets = new Map<string, Promise<TestBucket>>();

/** Of those settings, what a test does not change: other products are told apart by their own endpoints. */
export function credentialsIn(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name.startsWith('AWS_')));
}

/** What a service on that data folder is to be started with. */
export async function storageSettings(dataDir: string): Promise<Readonly<Record<string, string>>> {
  if (!USES_BUCKET) return {};
  const { settings } = await bucketOf(dataDir);
  // For services that tests compose in their own process, too.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) process.env[name] = settings[name];
  return settings;
}

/** The same objects as a service on that data folder sees. */
export async function openStorage(dataDir: string): Promise<ObjectStore> {
  if (USES_BUCKET) return createS3ObjectStore(optionsFor(await bucketOf(dataDir)));
  return createFilesystemObjectStore({
    root: join(dataDir, 'objects'),
    publicUrl: 'http://store.test',
    signingKey: new Uint8Array(32),
    fsync: false,
  });
}

/** Names of what is stored, with what has been begun and not finished. */
export async function storedObjects(dataDir: string): Promise<string[]> {
  if (!USES_BUCKET) return filesIn(join(dataDir, 'objects'));
  const { client, name } = await bucketOf(dataDir);
  const store = await openStorage(dataDir);
  const { objects } = await store.list('', { limit: 1000 });
  await store.close();
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
  return [...objects.map(({ key }) => key), ...Uploads.map(({ Key = '' }) => Key)];
}

/** Files with the bytes of everything that is stored, as they lie there; their paths hold the names. */
export async function storedFiles(dataDir: string): Promise<string[]> {
  if (!USES_BUCKET) return storedObjects(dataDir);
  const store = await openStorage(dataDir);
  const { objects } = await store.list('', { limit: 1000 });
  const paths = await Promise.all(
    objects.map(async ({ key }) => {
      const path = join(dataDir, 'looked-at', key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, (await store.get(key)).body);
      return path;
    }),
  );
  await store.close();
  return paths;
}

export async function removeStorage(dataDir: string): Promise<void> {
  const bucket = buckets.get(dataDir);
  buckets.delete(dataDir);
  await (await bucket)?.close();
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function bucketOf(dataDir: string): Promise<TestBucket> {
  const known = buckets.get(dataDir);
  if (known !== undefined) return known;
  const server = cephServer();
  if (server === null) throw new Error('TEST_STORAGE_DRIVER is s3, and TEST_S3_ENDPOINT names no server');
  const made = createTestBucket(server);
  buckets.set(dataDir, made);
  return made;
}
