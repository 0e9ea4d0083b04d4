import { StorageError } from './errors.ts';

/** One rule of a bucket's CORS configuration, by the names of S3's PutBucketCors. */
export interface BucketCorsRule {
  readonly ID: string;
  readonly AllowedOrigins: string[];
  readonly AllowedMethods: string[];
  readonly AllowedHeaders: string[];
  readonly MaxAgeSeconds: number;
}

/** How long a browser remembers what a preflight was answered. */
const MAX_AGE_SECONDS = 3600;

/**
 * What a bucket lets pages of other origins do: post the form of a reservation, and learn how that went. Nothing is read by
 * pages: photos come from the CDN, which has rules of its own. Whoever creates the bucket applies these rules, the tests
 * too. The bucket itself refuses forms that are not signed; CORS only says which pages may read the answer.
 *
 * @param origins of the pages that upload, such as `https://localex.com`: scheme, host and port, without a path
 * @throws StorageError INVALID_CONFIGURATION for what is no such origin; a wildcard is none
 */
export function bucketCors(origins: readonly string[]): readonly BucketCorsRule[] {
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong !== undefined || origins.length === 0)
    throw new StorageError(
      'INVALID_CONFIGURATION',
      `Expected origins such as https://localex.com, received ${JSON.stringify(wrong ?? '')}.`,
    );
  return [
    {
      ID: 'direct-upload',
      AllowedOrigins: [...new Set(origins)],
      AllowedMethods: ['POST'],
      AllowedHeaders: ['content-type'],
      MaxAgeSeconds: MAX_AGE_SECONDS,
    },
  ];
}

function isOrigin(text: string): boolean {
  return (
    !text.includes('*') &&
    URL.canParse(text) &&
    /^https?:$/.test(new URL(text).protocol) &&
    new URL(text).origin === text
  );
}
