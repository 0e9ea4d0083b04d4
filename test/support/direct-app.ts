import { createHash } from 'node:crypto';
import type { Principal } from '#src/domain/access.ts';
import type { FileId, ItemId } from '#src/domain/ids.ts';
import type { JobDeps } from '#src/jobs/deps.ts';
import type { PresignedPost } from '#src/ports/object-store.ts';
import type { Photo } from '#src/services/photo.ts';
import { distinctPhoto, newItem, newSeller, startApp, storedKeys, type TestApp } from './app.ts';
import { createTestBucket, type S3Server, type TestBucket } from './s3-server.ts';

export interface ReservedForm {
  readonly id: FileId;
  readonly direct: PresignedPost | null;
  /** The photo it was reserved for. */
  readonly body: Buffer;
}

/** The whole service without HTTP on a bucket of its own, with a seller who uploads by form. */
export interface DirectApp {
  readonly app: TestApp;
  readonly bucket: TestBucket;
  readonly who: Principal;
  readonly item: ItemId;
  /** What is not given belongs to a photo that nobody has sent before. */
  reserve(change?: { body?: Buffer; type?: string; sha256?: string }): Promise<ReservedForm>;
  complete(id: FileId, waitMs?: number): Promise<Photo>;
  /** Keys below `temp/` that belong to that upload. */
  temporary(id: FileId): Promise<string[]>;
  /** What jobs work with, so many minutes from now. */
  later(minutes: number): JobDeps;
  close(): Promise<void>;
}

/** Leaves the credentials of that server in this process's environment, where the AWS SDK looks for them. */
export async function startDirectApp(
  server: S3Server,
  options: { versioned?: boolean; worker?: boolean; env?: Readonly<Record<string, string>> } = {},
): Promise<DirectApp> {
  const bucket = await createTestBucket(server, { versioned: options.versioned ?? false });
  process.env['AWS_ACCESS_KEY_ID'] = server.credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = server.credentials.secretAccessKey;
  const env = { ...bucket.settings, UNFINISHED_PER_OWNER: '500', ...options.env };
  const app = await startApp({ env, worker: options.worker ?? true });
  const who = newSeller();
  const item = await newItem(app, who);
  return {
    app,
    bucket,
    who,
    item,
    async reserve({ body, type = 'image/jpeg', sha256 } = {}) {
      const photo = body ?? (await distinctPhoto()).body;
      const { id, direct } = await app.files.reserveUpload(who, {
        kind: 'item_photo',
        itemId: item,
        filename: 'x.jpg',
        type,
        bytes: photo.length,
        ...(sha256 !== undefined && { sha256 }),
      });
      return { id, direct, body: photo };
    },
    complete: async (id, waitMs = 20_000) => (await app.files.completeUpload(who, id, { waitMs })).photo,
    temporary: async (id) =>
      (await storedKeys(app)).filter((key) => key.startsWith('temp/') && key.includes(id)),
    later: (minutes) => ({
      ...app.jobs,
      clock: { now: () => new Date(Date.now() + minutes * 60_000) },
    }),
    async close() {
      await app.close();
      await bucket.close();
    },
  };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
