import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { openBucket } from '#src/adapters/object-store/s3/bucket.ts';
import { classify, MEANINGS, reasonOf } from '#src/adapters/object-store/s3/failures.ts';
import { DEFAULT_PATIENCE } from '#src/adapters/object-store/s3/requests.ts';
import { type ErrorCode, StorageError } from '#src/domain/errors.ts';
import { systemClock } from '#src/ports/clock.ts';

type Row = readonly [code: string, status: number, expected: ErrorCode, again: boolean, throttled: boolean];

/** Code and status as the list of error codes in the Amazon S3 API Reference gives them (2025). */
const TABLE: readonly Row[] = [
  ['NoSuchKey', 404, 'NOT_FOUND', false, false],
  ['NoSuchVersion', 404, 'NOT_FOUND', false, false],
  ['PreconditionFailed', 412, 'VERSION_CONFLICT', false, false],
  ['InvalidRange', 416, 'RANGE_NOT_SATISFIABLE', false, false],
  ['InvalidObjectState', 403, 'OBJECT_ARCHIVED', false, false],
  ['RestoreAlreadyInProgress', 409, 'CONFLICT', false, false],
  ['ObjectAlreadyInActiveTierError', 403, 'CONFLICT', false, false],
  ['EntityTooLarge', 400, 'FILE_TOO_LARGE', false, false],
  ['KeyTooLongError', 400, 'INVALID_KEY', false, false],
  ['MetadataTooLarge', 400, 'INVALID_REQUEST', false, false],
  ['InvalidTag', 400, 'INVALID_REQUEST', false, false],
  ['NotImplemented', 501, 'UNSUPPORTED', false, false],
  ['SlowDown', 503, 'STORAGE_UNAVAILABLE', true, true],
  ['ServiceUnavailable', 503, 'STORAGE_UNAVAILABLE', true, true],
  ['RequestLimitExceeded', 503, 'STORAGE_UNAVAILABLE', true, true],
  ['InternalError', 500, 'STORAGE_UNAVAILABLE', true, false],
  ['RequestTimeout', 400, 'STORAGE_UNAVAILABLE', true, false],
  ['IncompleteBody', 400, 'STORAGE_UNAVAILABLE', true, false],
  ['BadDigest', 400, 'STORAGE_UNAVAILABLE', true, false],
  ['XAmzContentSHA256Mismatch', 400, 'STORAGE_UNAVAILABLE', true, false],
  ['ConditionalRequestConflict', 409, 'STORAGE_UNAVAILABLE', true, false],
  ['OperationAborted', 409, 'STORAGE_UNAVAILABLE', true, false],
  ['RequestTimeTooSkewed', 403, 'STORAGE_UNAVAILABLE', true, false],
  ['ExpiredToken', 400, 'STORAGE_UNAVAILABLE', true, false],
  ['NoSuchBucket', 404, 'STORAGE_UNAVAILABLE', false, false],
  ['NoSuchUpload', 404, 'STORAGE_UNAVAILABLE', false, false],
  ['AccessDenied', 403, 'STORAGE_UNAVAILABLE', false, false],
  ['InvalidAccessKeyId', 403, 'STORAGE_UNAVAILABLE', false, false],
  ['SignatureDoesNotMatch', 403, 'STORAGE_UNAVAILABLE', false, false],
  ['PermanentRedirect', 301, 'STORAGE_UNAVAILABLE', false, false],
  ['AuthorizationHeaderMalformed', 400, 'STORAGE_UNAVAILABLE', false, false],
  ['KMS.DisabledException', 400, 'STORAGE_UNAVAILABLE', false, false],
  ['QuotaExceeded', 403, 'STORAGE_FULL', false, false],
  ['InsufficientStorage', 507, 'STORAGE_FULL', false, false],
  ['InvalidArgument', 400, 'INTERNAL', false, false],
  ['InvalidPart', 400, 'INTERNAL', false, false],
];

/** Codes that nobody has listed, and answers to HEAD, which have none. */
const BY_STATUS: readonly Row[] = [
  ['NeverHeardOf', 404, 'NOT_FOUND', false, false],
  ['NeverHeardOf', 409, 'CONFLICT', false, false],
  ['NeverHeardOf', 412, 'VERSION_CONFLICT', false, false],
  ['NeverHeardOf', 416, 'RANGE_NOT_SATISFIABLE', false, false],
  ['NeverHeardOf', 403, 'STORAGE_UNAVAILABLE', false, false],
  ['NeverHeardOf', 429, 'STORAGE_UNAVAILABLE', true, true],
  ['NeverHeardOf', 500, 'STORAGE_UNAVAILABLE', true, false],
  ['NeverHeardOf', 502, 'STORAGE_UNAVAILABLE', true, false],
  ['NeverHeardOf', 503, 'STORAGE_UNAVAILABLE', true, true],
  ['NeverHeardOf', 507, 'STORAGE_FULL', false, false],
  ['NeverHeardOf', 400, 'INTERNAL', false, false],
];

describe('what the SDK throws', () => {
  let server: Server;
  let endpoint: string;
  let answer: { status: number; code: string; headers?: Record<string, string>; body?: string };

  beforeAll(async () => {
    server = createServer((req, res) => {
      const body = answer.body ?? `<Error><Code>${answer.code}</Code><Message>m</Message></Error>`;
      res.writeHead(answer.status, { 'content-type': 'application/xml', ...answer.headers });
      res.end(req.method === 'HEAD' ? undefined : body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    endpoint = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : '';
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function thrown(method: 'GET' | 'HEAD', url = endpoint): Promise<unknown> {
    const bucket = openBucket({
      bucket: 'b',
      region: 'us-east-1',
      endpoint: url,
      forcePathStyle: true,
      checksums: 'when-required',
      encryption: { kind: 'bucket' },
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      patience: DEFAULT_PATIENCE,
      clock: systemClock,
    });
    const at = { Bucket: 'b', Key: 'k' };
    const call: Promise<unknown> =
      method === 'GET'
        ? bucket.client.send(new GetObjectCommand(at))
        : bucket.client.send(new HeadObjectCommand(at));
    const error = await call.then(
      () => null,
      (failure: unknown) => failure,
    );
    bucket.close();
    return error;
  }

  test.each([...TABLE, ...BY_STATUS])('%s (%i) is %s', async (code, status, expected, again, throttled) => {
    answer = { status, code };
    const failure = classify(await thrown('GET'));
    expect(failure).toMatchObject({ error: { code: expected }, again, throttled });
  });

  test.each(BY_STATUS)('%s (%i) to a HEAD is %s', async (code, status, expected, again, throttled) => {
    answer = { status, code };
    expect(classify(await thrown('HEAD'))).toMatchObject({ error: { code: expected }, again, throttled });
  });

  test('every code is tried here', () => {
    const tried = new Set(TABLE.map(([code]) => code));
    const alike = Object.entries(MEANINGS).filter(([code]) => !tried.has(code));
    // The rest has the meaning of one that is tried.
    for (const [, meaning] of alike)
      expect(
        TABLE.some(([code]) => MEANINGS[code] === meaning || MEANINGS[code]?.code === meaning.code),
      ).toBe(true);
    for (const [code] of TABLE) expect(Object.keys(MEANINGS)).toContain(code);
  });

  test('the reason, the status and the time to wait are kept', async () => {
    answer = { status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } };
    const { error } = classify(await thrown('GET'));
    expect(error).toMatchObject({ retryAfter: 7, details: { reason: 'SlowDown', status: 503 } });
    expect(reasonOf(error)).toBe('SlowDown');
  });

  test('a failed condition is what the caller says it is', async () => {
    answer = { status: 412, code: 'PreconditionFailed' };
    expect(classify(await thrown('GET'), undefined, 'ALREADY_EXISTS').error).toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  test('an error that nobody can read may pass by itself', async () => {
    answer = { status: 500, code: '', body: '<Error><Code>Inter' };
    expect(classify(await thrown('GET'))).toMatchObject({
      error: { code: 'STORAGE_UNAVAILABLE' },
      again: true,
    });
  });

  test('a server that is not there may come back', async () => {
    expect(classify(await thrown('GET', 'http://127.0.0.1:1'))).toMatchObject({
      error: { code: 'STORAGE_UNAVAILABLE', details: { reason: 'ECONNREFUSED' } },
      again: true,
    });
  });
});

describe('what is none of S3’s doing', () => {
  test('a cancelled call is ABORTED, whatever was thrown', () => {
    const reason = new Error('gone');
    expect(classify(new Error('x'), AbortSignal.abort(reason)).error).toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
  });

  test('a StorageError, an error of a source and a bug pass as they are', () => {
    for (const error of [new StorageError('NOT_FOUND'), new Error('the source broke'), new TypeError('bug')])
      expect(classify(error)).toEqual({ error, again: false, throttled: false });
  });
});
