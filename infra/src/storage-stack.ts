import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { queueArrivals } from './arrivals.ts';
import { mainBucket } from './buckets/main-bucket.ts';
import { objectKey } from './buckets/object-key.ts';
import { servePublicPrefixes } from './buckets/policy.ts';
import { resourceOf } from './buckets/private-bucket.ts';
import { distribute } from './delivery/distribution.ts';
import { ENVIRONMENT, type EnvironmentValues, outputOf } from './environment.ts';
import { namesOf } from './names.ts';
import type { ObjectKey } from './roles/grants.ts';
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
    servePublicPrefixes(bucket, distribution.distributionArn);
    const arrivals = queueArrivals(this, names);
    const documentsKey = wrappingKey(this, settings);
    serviceRoles(this, settings, {
      bucketArn: `arn:aws:s3:::${names.bucket}`,
      replicaArn: `arn:aws:s3:::${names.replicaBucket}`,
      documentsKeyArn: documentsKey.keyArn,
      arrivalsArn: arrivals.queueArn,
      distributionArn: distribution.distributionArn,
      objectKeys: objectKeys(settings, key, replicaKey),
    });
    tellEnvironment(this, {
      STORAGE_DRIVER: 's3',
      S3_BUCKET: bucket.bucketName,
      S3_REGION: settings.region,
      S3_REPLICA_BUCKET: names.replicaBucket,
      S3_REPLICA_REGION: settings.replicaRegion,
      EVENTS_QUEUE_URL: arrivals.queueUrl,
      CDN_DRIVER: 'cloudfront',
      CDN_URL: `https://${settings.domain?.name ?? distribution.distributionDomainName}`,
      CLOUDFRONT_DISTRIBUTION_ID: distribution.distributionId,
      CLOUDFRONT_KEY_PAIR_ID: signer.publicKeyId,
      KEYS_DRIVER: 'kms',
      KMS_KEY_ID: documentsKey.keyArn,
    });
  }
}

/** Wraps the keys of identity documents: kept when the stack goes, since without it no document can be opened again. */
function wrappingKey(scope: Construct, { name }: Settings): Key {
  return new Key(scope, 'DocumentsKey', {
    alias: `${name}-documents`,
    description: `Wraps the keys of identity documents of ${name}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
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
  for (const variable of ENVIRONMENT)
    new CfnOutput(scope, outputOf(variable), { value: values[variable], description: variable });
}
