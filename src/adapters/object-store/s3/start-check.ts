import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { isStorageError, StorageError } from '../../../domain/errors.ts';
import { objectKey, PREFIXES, ROW_NAMED_PREFIXES } from '../../../domain/keys.ts';
import type { Bucket } from './bucket.ts';
import { encryptionOf } from './encryption.ts';
import { keepsVersions, remove } from './remove.ts';
import { type Attempted, refusal, type Variables } from './start-refusal.ts';

/** What is asked of a bucket. */
export interface Checked {
  readonly role: 'primary' | 'replica';
  /** Whether the server must refuse to create what is there. */
  readonly createsOnly: boolean;
  /** Prefixes below which this process writes. */
  readonly writes: readonly string[];
  readonly variables: Variables;
}

/** A server that is being started beside us is waited for. */
const PATIENCE_MS = 10_000;

/**
 * Tries, before anybody relies on it, all that the service needs of a bucket: that it is there, in this region, that these
 * credentials may list it, write below each prefix and delete what rows name, and that creating keeps what is there. Leaves
 * nothing behind. A replica is read and deleted from, and not written to. Resolves to whether the bucket keeps versions.
 * Errors: INVALID_CONFIGURATION, one sentence that names the variable and what to do; STORAGE_UNAVAILABLE when nothing
 * answers.
 */
export async function checkBucket(
  bucket: Bucket,
  { role, createsOnly, writes, variables }: Checked,
): Promise<{ readonly versioned: boolean }> {
  const trying = async <T>(attempted: Attempted, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw refusal(error, attempted, bucket, variables);
    }
  };
  await trying({ what: 'list', permission: 's3:ListBucket' }, () =>
    send(bucket, () => bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.name, MaxKeys: 1 }))),
  );
  const versioned = await trying(
    { what: 'ask for the versioning of', permission: 's3:GetBucketVersioning' },
    () => keepsVersions(bucket),
  );
  // All of them, also when one is refused: a process that ends now would leave what the others have begun.
  const tried = await Promise.allSettled([
    ...ROW_NAMED_PREFIXES.map((prefix) => assertRemovable(bucket, prefix, versioned, trying)),
    ...(role === 'primary' ? writes.map((prefix) => assertWritable(bucket, prefix, trying)) : []),
  ]);
  for (const attempt of tried) if (attempt.status === 'rejected') throw attempt.reason;
  if (role === 'primary') await assertWritesAndDeletes(bucket, { versioned, createsOnly, variables }, trying);
  return { versioned };
}

function send<T>(bucket: Bucket, request: () => Promise<T>): Promise<T> {
  return bucket.request(request, { patienceMs: PATIENCE_MS });
}

type Trying = <T>(attempted: Attempted, work: () => Promise<T>) => Promise<T>;

/** Deletes what is not there, which asks for the same permission. `null` is the version that was put before there were any. */
async function assertRemovable(
  bucket: Bucket,
  prefix: string,
  versioned: boolean,
  trying: Trying,
): Promise<void> {
  const at = { Bucket: bucket.name, Key: probeBelow(prefix), ...(versioned && { VersionId: 'null' }) };
  const permission = versioned ? 's3:DeleteObjectVersion' : 's3:DeleteObject';
  await trying({ what: 'delete', prefix, permission }, () =>
    send(bucket, () => bucket.client.send(new DeleteObjectCommand(at))),
  );
}

/** A multipart upload is begun and aborted: that asks for the same permissions as a write and makes no object. */
async function assertWritable(bucket: Bucket, prefix: string, trying: Trying): Promise<void> {
  const at = { Bucket: bucket.name, Key: probeBelow(prefix) };
  const { UploadId } = await trying({ what: 'write', prefix, permission: 's3:PutObject' }, () =>
    send(bucket, () =>
      bucket.client.send(new CreateMultipartUploadCommand({ ...at, ...encryptionOf(bucket.encryption) })),
    ),
  );
  await trying({ what: 'abort uploads', prefix, permission: 's3:AbortMultipartUpload' }, () =>
    send(bucket, () => bucket.client.send(new AbortMultipartUploadCommand({ ...at, UploadId }))),
  );
}

const probeBelow = (prefix: string) => `${prefix}start-check`;

/** Creates an object twice, of which the second must be refused, and deletes it. */
async function assertWritesAndDeletes(
  bucket: Bucket,
  { versioned, createsOnly, variables }: Omit<Checked, 'role' | 'writes'> & { readonly versioned: boolean },
  trying: Trying,
): Promise<void> {
  const prefix = PREFIXES.temporary;
  const key = objectKey(`${probeBelow(prefix)}/${randomUUID()}`);
  const create = () =>
    send(bucket, () =>
      bucket.client.send(
        new PutObjectCommand({
          Bucket: bucket.name,
          Key: key,
          Body: Buffer.from('x'),
          IfNoneMatch: '*',
          ...encryptionOf(bucket.encryption),
        }),
      ),
    );
  try {
    await trying({ what: 'write', prefix, permission: 's3:PutObject' }, create);
    if (createsOnly && !(await isRefused(create)))
      throw new StorageError(
        'INVALID_CONFIGURATION',
        `S3_FEATURES says conditional-create, but the server of ${variables.endpoint} overwrites what "If-None-Match: *" protects: leave that out, or use another server.`,
      );
  } finally {
    await trying({ what: 'delete', prefix, permission: 's3:DeleteObject and s3:DeleteObjectVersion' }, () =>
      remove(bucket, key, versioned),
    );
  }
}

async function isRefused(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return false;
  } catch (error) {
    if (isStorageError(error, 'VERSION_CONFLICT')) return true;
    throw error;
  }
}
