import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDelivery, CfnDeliveryDestination, CfnDeliverySource } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { EDGE_REGION, namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';

/** Folder of the bucket; CloudFront puts `AWSLogs/{account}/CloudFront/` below it. */
export const EDGE_LOGS_PREFIX = 'cloudfront';

/**
 * What is written of a request: enough to count views, hits and errors, and to tell programs from people. No address of a
 * viewer, no cookie and no query (that is where signatures are). Names as in CloudFront Developer Guide, "Standard logging
 * reference", 2025.
 */
const FIELDS = [
  'date',
  'time',
  'x-edge-location',
  'sc-bytes',
  'cs-method',
  'cs-uri-stem',
  'sc-status',
  'x-edge-result-type',
  'x-edge-request-id',
  'x-host-header',
  'cs-protocol',
  'time-taken',
  'ssl-protocol',
  'x-edge-detailed-result-type',
  'sc-content-type',
  'sc-range-start',
  'cs(User-Agent)',
  'c-country',
];

const DAY_PATH = '{yyyy}/{MM}/{dd}';

/** The value of CLOUDFRONT_LOGS: where the files of a day lie. */
export function accessLogsOf(settings: Settings): string {
  const { edgeLogsBucket } = namesOf(settings);
  return `s3://${edgeLogsBucket}/${belowAccount(settings.account)}CloudFront/${DAY_PATH}/`;
}

/** What the delivery of logs puts below the prefix. */
function belowAccount(account: string): string {
  return `${EDGE_LOGS_PREFIX}/AWSLogs/${account}/`;
}

/** Standard logging (v2) of a distribution as JSON lines in the bucket, one folder an hour. */
export function deliverAccessLogs(
  scope: Construct,
  { name, account, distributionArn, bucket }: AccessLogsProps,
): void {
  const source = new CfnDeliverySource(scope, 'AccessLogSource', {
    name: `${name}-access`,
    logType: 'ACCESS_LOGS',
    resourceArn: distributionArn,
  });
  const destination = new CfnDeliveryDestination(scope, 'AccessLogDestination', {
    name: `${name}-access`,
    destinationResourceArn: `${bucket.bucketArn}/${EDGE_LOGS_PREFIX}`,
    outputFormat: 'json',
  });
  const delivery = new CfnDelivery(scope, 'AccessLogDelivery', {
    deliverySourceName: source.name,
    deliveryDestinationArn: destination.attrArn,
    recordFields: FIELDS,
    s3SuffixPath: `${DAY_PATH}/{HH}`,
    s3EnableHiveCompatiblePath: false,
  });
  delivery.addResourceDependency(source);
  acceptDelivery(bucket, account);
  if (bucket.policy !== undefined) delivery.node.addDependency(bucket.policy);
}

interface AccessLogsProps {
  readonly name: string;
  readonly account: string;
  readonly distributionArn: string;
  readonly bucket: Bucket;
}

/** As in CloudWatch Logs User Guide, "Logs sent to Amazon S3" (V2 permissions), 2025. */
function acceptDelivery(bucket: Bucket, account: string): void {
  const service = new ServicePrincipal('delivery.logs.amazonaws.com');
  const source = {
    StringEquals: { 'aws:SourceAccount': account },
    ArnLike: { 'aws:SourceArn': `arn:aws:logs:${EDGE_REGION}:${account}:delivery-source:*` },
  };
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogsAreWrittenHere',
      principals: [service],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${belowAccount(account)}*`)],
      conditions: {
        ...source,
        StringEquals: { ...source.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
    }),
  );
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogsLookForTheirBucket',
      principals: [service],
      actions: ['s3:GetBucketAcl', 's3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: source,
    }),
  );
}
