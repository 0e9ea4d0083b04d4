import type { SeenRequest } from '../../../test/support/fault-proxy.ts';
import type { Statement } from '../support/statements.ts';

/** What a request asks of IAM. */
export interface Asked {
  readonly action: string;
  /** ARN of a bucket or object; null for KMS, whose keys are told apart by their tag. */
  readonly resource: string | null;
}

/**
 * What AWS asks permission for when such a request comes (Service Authorization Reference, "Amazon S3" and "AWS KMS", 2025).
 * `names` says what the buckets of the test stand for. Throws for a request that is not known.
 */
export function askedBy(request: SeenRequest, names: Readonly<Record<string, string>>): readonly Asked[] {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string')
    return [{ action: target.replace('TrentService.', 'kms:'), resource: null }];
  const { pathname, searchParams } = new URL(request.url, 'http://s3');
  const arn = (path: string) => arnOf(path, names);
  const isBucket = pathname.split('/').filter((part) => part !== '').length === 1;
  const actions = (isBucket ? BUCKET_CALLS : OBJECT_CALLS)[request.method]?.(searchParams, request.headers);
  if (actions === undefined) throw new Error(`Not a call that is known: ${request.method} ${request.url}`);
  const source = request.headers['x-amz-copy-source'];
  const copied = typeof source === 'string' ? READ_OF_A_COPY : [];
  return [
    ...actions.map((action) => ({ action, resource: arn(pathname) })),
    ...copied.map((action) => ({ action, resource: arn(decodeURIComponent(String(source))) })),
  ];
}

export function isAllowed({ action, resource }: Asked, statements: readonly Statement[]): boolean {
  return statements.some(
    ({ Action, Resource }) =>
      Action.includes(action) && (resource === null || Resource.some((pattern) => fits(pattern, resource))),
  );
}

type Call = (query: URLSearchParams, headers: SeenRequest['headers']) => readonly string[];

const READ_OF_A_COPY = ['s3:GetObject', 's3:GetObjectTagging'];

const BUCKET_CALLS: Readonly<Record<string, Call>> = {
  HEAD: () => ['s3:ListBucket'],
  GET: (query) => {
    if (query.has('versioning')) return ['s3:GetBucketVersioning'];
    if (query.has('versions')) return ['s3:ListBucketVersions'];
    return [query.has('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket'];
  },
};

const OBJECT_CALLS: Readonly<Record<string, Call>> = {
  HEAD: (query) => [query.has('versionId') ? 's3:GetObjectVersion' : 's3:GetObject'],
  GET: (query) => {
    if (query.has('tagging')) return ['s3:GetObjectTagging'];
    if (query.has('uploadId')) return ['s3:ListMultipartUploadParts'];
    return [query.has('versionId') ? 's3:GetObjectVersion' : 's3:GetObject'];
  },
  PUT: (query, headers) => {
    if (query.has('tagging')) return ['s3:PutObjectTagging'];
    const isTagged = headers['x-amz-copy-source'] !== undefined || headers['x-amz-tagging'] !== undefined;
    return isTagged ? ['s3:PutObject', 's3:PutObjectTagging'] : ['s3:PutObject'];
  },
  POST: (query) => [query.has('restore') ? 's3:RestoreObject' : 's3:PutObject'],
  DELETE: (query) => {
    if (query.has('uploadId')) return ['s3:AbortMultipartUpload'];
    return [query.has('versionId') ? 's3:DeleteObjectVersion' : 's3:DeleteObject'];
  },
};

/** Of `/bucket/key` or `bucket/key`. */
function arnOf(path: string, names: Readonly<Record<string, string>>): string {
  const [bucket = '', ...key] = decodeURIComponent(path).replace(/^\//, '').split('/');
  const name = names[bucket];
  if (name === undefined) throw new Error(`No bucket of this test: ${bucket}`);
  const below = key.join('/');
  return below === '' ? `arn:aws:s3:::${name}` : `arn:aws:s3:::${name}/${below}`;
}

function fits(pattern: string, resource: string): boolean {
  return pattern.endsWith('*') ? resource.startsWith(pattern.slice(0, -1)) : resource === pattern;
}
