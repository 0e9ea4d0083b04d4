import type { CfnBucket } from 'aws-cdk-lib/aws-s3';

/** Browsers of these origins may send their files to the bucket by a signed form, and read what became of it. */
export function uploadCors(origins: readonly string[]): CfnBucket.CorsConfigurationProperty {
  return {
    corsRules: [
      {
        id: 'uploads',
        allowedOrigins: [...origins],
        allowedMethods: ['POST'],
        allowedHeaders: ['content-type'],
        exposedHeaders: ['ETag', 'x-amz-version-id'],
        maxAge: 3600,
      },
    ],
  };
}
