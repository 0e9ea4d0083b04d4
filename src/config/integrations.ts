import { httpAddress } from './address.ts';
import { choice, flag, optional, type Read } from './setting.ts';

/** What stands around the store and has a default of its own here. */
export interface IntegrationsConfig {
  readonly keys: 'local' | 'kms';
  readonly kmsKeyId: string | null;
  readonly metrics: 'prometheus' | 'cloudwatch';
  /** Who tells that an object has arrived in the bucket. */
  readonly arrivals: 'client' | 'sqs';
  readonly eventsQueueUrl: string | null;
  readonly notifications: 'log' | 'webhook';
  readonly webhook: { readonly url: string; readonly secret: string } | null;
}

export const INTEGRATIONS = {
  keys: choice('KEYS_DRIVER', ['local', 'kms'], {
    description: 'Where the keys are that wrap the keys of documents.',
    default: 'local',
  }),
  kmsKeyId: optional('KMS_KEY_ID', {
    description: 'The wrapping key in AWS KMS.',
    expected: 'the id, alias or ARN of a key',
  }),
  cloudwatch: flag('METRICS_CLOUDWATCH', {
    description: 'Whether metrics are also sent to CloudWatch.',
    default: false,
  }),
  eventsQueueUrl: httpAddress('EVENTS_QUEUE_URL', {
    description: 'SQS queue by which the bucket tells of objects that arrived.',
  }),
  webhookUrl: httpAddress('WEBHOOK_URL', {
    description: 'Where notifications are posted; they are only logged when not set.',
  }),
  webhookSecret: optional('WEBHOOK_SECRET', {
    description: 'Signs notifications (HMAC-SHA256).',
    expected: 'at least 32 characters',
    secret: true,
    accepts: (value) => value.length >= 32,
  }),
};

export function readIntegrations(read: Read): IntegrationsConfig {
  const eventsQueueUrl = read(INTEGRATIONS.eventsQueueUrl);
  const url = read(INTEGRATIONS.webhookUrl);
  const secret = read(INTEGRATIONS.webhookSecret);
  return {
    keys: read(INTEGRATIONS.keys),
    kmsKeyId: read(INTEGRATIONS.kmsKeyId),
    metrics: read(INTEGRATIONS.cloudwatch) ? 'cloudwatch' : 'prometheus',
    arrivals: eventsQueueUrl === null ? 'client' : 'sqs',
    eventsQueueUrl,
    notifications: url === null ? 'log' : 'webhook',
    webhook: url === null || secret === null ? null : { url, secret },
  };
}
