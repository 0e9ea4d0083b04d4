import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { StorageError } from '#src/domain/errors.ts';
import { dayOf } from '#src/domain/usage.ts';
import type { AccessLogFile, AccessLogs } from '#src/ports/access-logs.ts';
import { classify, throwIfAborted } from '../object-store/s3/failures.ts';
import { readLogFile } from './log-file.ts';

export interface S3AccessLogsOptions {
  readonly bucket: string;
  /** Beginning of the keys of a day's files, with `{yyyy}`, `{MM}` and `{dd}` for the day of the requests. */
  readonly prefix: string;
  /** Of the CDN: URLs in the log begin with its path. */
  readonly cdnUrl: string;
  /** Where the bucket is asked for first; it is followed to its own region. */
  readonly region: string;
  readonly endpoint: string | null;
  readonly forcePathStyle: boolean;
  readonly credentials?: S3ClientConfig['credentials'];
}

const DAY_MS = 86_400_000;

/**
 * CloudFront's standard logs (v2 and legacy) in a bucket: gzip files of JSON lines or W3C columns. Files lie by the day of
 * their requests, also those that are delivered a day later, so that days are listed and no key is a mark.
 */
export function createS3AccessLogs(options: S3AccessLogsOptions): AccessLogs {
  const { bucket: Bucket, prefix, endpoint } = options;
  const basePath = new URL(options.cdnUrl).pathname.replace(/\/$/, '');
  const client = new S3Client({
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    followRegionRedirects: true,
    ...(endpoint !== null && { endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
  });

  async function* listDay(Prefix: string, signal?: AbortSignal): AsyncGenerator<AccessLogFile> {
    let ContinuationToken: string | undefined;
    do {
      throwIfAborted(signal);
      const page = await client
        .send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }), sending(signal))
        .catch((error: unknown) => {
          throw classify(error, signal).error;
        });
      for (const { Key, ETag, Size = 0, LastModified } of page.Contents ?? [])
        if (Key?.endsWith('.gz') === true && ETag !== undefined && LastModified !== undefined)
          yield { key: Key, etag: ETag, bytes: Size, deliveredAt: LastModified };
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  return {
    async *list(from, to, signal) {
      for (let time = Date.parse(dayOf(from)); time <= to.getTime(); time += DAY_MS)
        yield* listDay(prefixOf(prefix, new Date(time)), signal);
    },
    async read({ key: Key, etag: IfMatch }, take, signal) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, IfMatch }), sending(signal));
        if (!(Body instanceof Readable)) throw new StorageError('STORAGE_UNAVAILABLE');
        return await readLogFile(signal === undefined ? Body : addAbortSignal(signal, Body), basePath, take);
      } catch (error) {
        throw classify(error, signal, 'VERSION_CONFLICT').error;
      }
    },
    async close() {
      client.destroy();
    },
  };
}

/** `logs/{yyyy}/{MM}/{dd}/` → `logs/2026/11/24/`. */
function prefixOf(template: string, day: Date): string {
  const [year = '', month = '', date = ''] = dayOf(day).split('-');
  return template.replaceAll('{yyyy}', year).replaceAll('{MM}', month).replaceAll('{dd}', date);
}

function sending(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
