import { Fn } from 'aws-cdk-lib';
import { namesOf } from './names.ts';
import type { Settings } from './settings.ts';

/**
 * The variables of the service that this installation decides; each is an output of the storage stack. Secrets are never
 * outputs: the private key of signed URLs stays in a file (CLOUDFRONT_PRIVATE_KEY_FILE), credentials come with the roles.
 */
export const ENVIRONMENT = [
  'PUBLIC_URL',
  'STORAGE_DRIVER',
  'S3_BUCKET',
  'S3_REGION',
  'S3_REPLICA_BUCKET',
  'S3_REPLICA_REGION',
  'EVENTS_QUEUE_URL',
  'CDN_DRIVER',
  'CDN_URL',
  'SIGNED_URL_MAX_SECONDS',
  'CLOUDFRONT_DISTRIBUTION_ID',
  'CLOUDFRONT_KEY_PAIR_ID',
  'CLOUDFRONT_LOGS',
  'KEYS_DRIVER',
  'KMS_KEY_ID',
] as const;

/** Only where countries are chosen. */
export const OPTIONAL_ENVIRONMENT = ['CDN_GEO_ALLOW', 'CDN_GEO_DENY'] as const;

type Required = (typeof ENVIRONMENT)[number];
type Optional = (typeof OPTIONAL_ENVIRONMENT)[number];
export type EnvironmentValues = Readonly<Record<Required, string> & Partial<Record<Optional, string>>>;

/** The id of the distribution, for stacks that are made after the storage stack. */
export function distributionOf(settings: Settings): string {
  const { stacks } = namesOf(settings);
  return Fn.getStackOutput(stacks.storage, outputOf('CLOUDFRONT_DISTRIBUTION_ID'), settings.region);
}

/** `S3_BUCKET` → `S3Bucket`: outputs of CloudFormation are named by letters and digits only. */
export function outputOf(variable: string): string {
  return variable
    .split('_')
    .map((word) => `${word.charAt(0)}${word.slice(1).toLowerCase()}`)
    .join('');
}
