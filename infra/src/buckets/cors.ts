import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { bucketCors } from '../../../src/domain/bucket-cors.ts';

/** The service's own CORS rules for direct upload, as CloudFormation spells them. */
export function uploadCors(origins: readonly string[]): CfnBucket.CorsConfigurationProperty {
  return {
    corsRules: bucketCors(origins).map((rule) => ({
      id: rule.ID,
      allowedOrigins: rule.AllowedOrigins,
      allowedMethods: rule.AllowedMethods,
      allowedHeaders: rule.AllowedHeaders,
      maxAge: rule.MaxAgeSeconds,
    })),
  };
}
