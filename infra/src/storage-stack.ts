import { CfnOutput, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { queueArrivals } from './arrivals.ts';
import { mainBucket } from './buckets/main-bucket.ts';
import { objectKey } from './buckets/object-key.ts';
import { protect } from './buckets/policy.ts';
import { resourceOf } from './buckets/private-bucket.ts';
import { accessLogsOf } from './delivery/access-logs.ts';
import { distribute } from './delivery/distribution.ts';
import { ENVIRONMENT, type EnvironmentValues, OPTIONAL_ENVIRONMENT, outputOf } from './environment.ts';
import { namesOf, privateRoleArns } from './names.ts';
import type { ObjectKey } from './roles/grants.ts';
import { KEY_TAG } from './roles/keys.ts';
import { serviceRoles } from './roles/roles.ts';
import type { Settings } from './settings.ts';

interface Elsewhere {
  /** Encrypts the copies in the other region; null with keys that S3 holds. */
  readonly replicaKey: IKey | null;
  /** Of the firewall before CloudFront; null without. */
  readonly webAclArn: string | null;
}

/** The bucket, and all that the service needs around it. The outputs are the environment of the service. */
export class StorageStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, elsewhere: Elsewhere, props: StackProps) {
    super(scope, id, props);
    const names = namesOf(settings);
    const { replicaKey, webAclArn } = elsewhere;
    const key = objectKey(this, settings);
    const bucket = mainBucket(this, settings, { key, replicaKey });
    const { distribution, signer } = distribute(this, settings, webAclArn);
    // CloudFront may refuse an origin that is no bucket yet.
    distribution.node.addDependency(resourceOf(bucket));
    protect(bucket, settings, {
      distributionArn: distribution.distributionArn,
      roleArns: privateRoleArns(settings),
    });
    const arrivals = queueArrivals(this, names);
    wrappingKey(this, settings);
    serviceRoles(this, settings, {
      bucketArn: `arn:aws:s3:::${names.bucket}`,
      replicaArn: `arn:aws:s3:::${names.replicaBucket}`,
      arrivalsArn: arrivals.queueArn,
      distributionArn: distribution.distributionArn,
      edgeLogsArn: `arn:aws:s3:::${names.edgeLogsBucket}`,
      objectKeys: objectKeys(settings, key, replicaKey),
    });
    tellEnvironment(this, {
      PUBLIC_URL: settings.serviceUrl,
      STORAGE_DRIVER: 's3',
      S3_BUCKET: bucket.bucketName,
      S3_REGION: settings.region,
      S3_REPLICA_BUCKET: names.replicaBucket,
      S3_REPLICA_REGION: settings.replicaRegion,
      EVENTS_QUEUE_URL: arrivals.queueUrl,
      CDN_DRIVER: 'cloudfront',
      CDN_URL: `https://${settings.domain?.name ?? distribution.distributionDomainName}`,
      CLOUDFRONT_DISTRIBUTION_ID: distribution.distributionId,
      SIGNED_URL_MAX_SECONDS: String(settings.signedUrlMaxSeconds),
      CLOUDFRONT_KEY_PAIR_ID: signer.publicKeyId,
      CLOUDFRONT_LOGS: accessLogsOf(settings),
      KEYS_DRIVER: 'kms',
      KMS_KEY_ID: names.documentsAlias,
      ...countriesOf(settings),
    });
  }
}

/**
 * The first key that wraps the keys of identity documents; later ones are made by the service, which tags its keys and finds
 * them by their alias. Kept when the stack goes, since without it no document can be opened again.
 */
function wrappingKey(scope: Construct, settings: Settings): void {
  const key = new Key(scope, 'DocumentsKey', {
    alias: namesOf(settings).documentsAlias,
    description: `Wraps the keys of identity documents of ${settings.name}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  Tags.of(key).add(KEY_TAG.name, KEY_TAG.value);
}

/** The service refuses viewers of the same countries as the distribution does. */
function countriesOf({ countries }: Settings): Partial<EnvironmentValues> {
  if (countries === undefined) return {};
  return 'allow' in countries
    ? { CDN_GEO_ALLOW: countries.allow.join(',') }
    : { CDN_GEO_DENY: countries.deny.join(',') };
}

function objectKeys(settings: Settings, here: IKey | null, there: IKey | null): readonly ObjectKey[] {
  const { bucket, replicaBucket } = namesOf(settings);
  const used = [
    { key: here, region: settings.region, bucketArn: `arn:aws:s3:::${bucket}` },
    { key: there, region: settings.replicaRegion, bucketArn: `arn:aws:s3:::${replicaBucket}` },
  ];
  return used.flatMap(({ key, ...rest }) => (key === null ? [] : [{ arn: key.keyArn, ...rest }]));
}

function tellEnvironment(scope: Construct, values: EnvironmentValues): void {
  for (const variable of [...ENVIRONMENT, ...OPTIONAL_ENVIRONMENT]) {
    const value = values[variable];
    if (value !== undefined) new CfnOutput(scope, outputOf(variable), { value, description: variable });
  }
}
