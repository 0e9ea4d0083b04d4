import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { WRITTEN_PREFIXES } from '../../domain/keys.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { archiveStatus, restore } from './s3/archive.ts';
import { type BucketOptions, openBucket, sending } from './s3/bucket.ts';
import { copy, head } from './s3/copy.ts';
import { get } from './s3/get.ts';
import { list } from './s3/list.ts';
import { signGetUrl, signPostForm } from './s3/presign.ts';
import { previous } from './s3/previous.ts';
import { put } from './s3/put.ts';
import { hide, remove } from './s3/remove.ts';
import { DEFAULT_PATIENCE, type Patience } from './s3/requests.ts';
import { checkBucket } from './s3/start-check.ts';
import type { Variables } from './s3/start-refusal.ts';
import { sweepIncomplete } from './s3/sweep.ts';
import { getTags, setTags } from './s3/tags.ts';

/** What servers of S3's protocol may lack. Amazon S3 has all. */
export type S3Feature = 'conditional-create' | 'storage-classes' | 'restore' | 'tags';

export interface S3ObjectStoreOptions extends Omit<BucketOptions, 'patience' | 'clock'> {
  readonly features: readonly S3Feature[];
  /** A replica is read from and deleted from, and never written to (primary). */
  readonly role?: 'primary' | 'replica';
  /** Prefixes below which this process writes, to be tried at the start. Default: all. */
  readonly writes?: readonly string[];
  /** The names by which errors at the start call what was set. */
  readonly variables?: Variables;
  readonly patience?: Patience;
  readonly clock?: Clock;
}

export interface S3ObjectStore extends ObjectStore {
  readonly signGetUrl: NonNullable<ObjectStore['signGetUrl']>;
  readonly signPostForm: NonNullable<ObjectStore['signPostForm']>;
}

const VARIABLES: Variables = { bucket: 'S3_BUCKET', region: 'S3_REGION', endpoint: 'S3_ENDPOINT' };

/**
 * Objects in a bucket of Amazon S3, or of a server that speaks its protocol. Resolves once the bucket has shown that it can
 * be used. Errors: INVALID_CONFIGURATION, STORAGE_UNAVAILABLE when nothing answers; then those of the port.
 */
export async function createS3ObjectStore(options: S3ObjectStoreOptions): Promise<S3ObjectStore> {
  const { features, role = 'primary', writes = WRITTEN_PREFIXES, variables = VARIABLES } = options;
  const { patience = DEFAULT_PATIENCE, clock = systemClock } = options;
  const bucket = openBucket({ ...options, patience, clock });
  const has = (feature: S3Feature) => features.includes(feature);
  const createsOnly = has('conditional-create');
  const { versioned } = await checkBucket(bucket, { role, createsOnly, writes, variables }).catch(
    (error: unknown) => {
      bucket.close();
      throw error;
    },
  );

  return {
    name: 's3',
    capabilities: {
      supportsConditionalCreate: createsOnly,
      supportsConditionalRead: true,
      supportsStorageClasses: has('storage-classes'),
      supportsArchive: has('restore'),
      supportsTags: has('tags'),
      supportsPrevious: versioned,
      supportsPresignedGet: true,
      supportsPresignedPost: true,
      takesFormsItself: true,
      retriesItself: true,
    },
    put: (key, body, put_) => put(bucket, key, body, put_),
    get: (key, get_ = {}) => get(bucket, key, get_),
    head: (key, signal) => head(bucket, key, signal),
    hide: (key, signal) => hide(bucket, key, signal),
    delete: (key, signal) => remove(bucket, key, versioned, signal),
    list: (prefix, list_) => list(bucket, prefix, list_),
    copy: (from, to, copy_ = {}) => copy(bucket, from, to, copy_),
    ...(has('restore') && {
      restore: (key, days) => restore(bucket, key, days),
      archiveStatus: (key, signal) => archiveStatus(bucket, key, signal),
    }),
    ...(has('tags') && {
      getTags: (key, signal) => getTags(bucket, key, signal),
      setTags: (key, tags, signal) => setTags(bucket, key, tags, signal),
    }),
    ...(versioned && { previous: (key, signal) => previous(bucket, key, signal) }),
    signGetUrl: (key, expiresInSeconds) => signGetUrl(bucket, key, expiresInSeconds),
    signPostForm: (key, policy) => signPostForm(bucket, key, policy),
    sweepIncomplete: (olderThanMs, { dryRun = false } = {}) => sweepIncomplete(bucket, olderThanMs, dryRun),
    /** One request: who asks repeats by themselves. */
    async ping(signal) {
      await bucket.request(
        () => bucket.client.send(new HeadBucketCommand({ Bucket: bucket.name }), sending(signal)),
        { signal, patienceMs: 0 },
      );
    },
    async close() {
      bucket.close();
    },
  };
}
