import { Stack, type StackProps } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { watchReplica } from './alarms/replication.ts';
import { alarmTopic } from './alarms/topic.ts';
import { objectKey } from './buckets/object-key.ts';
import { protect } from './buckets/policy.ts';
import { logsBucket, privateBucket, retainAsTheServiceDoes } from './buckets/private-bucket.ts';
import { namesOf, privateRoleArns } from './names.ts';
import type { Settings } from './settings.ts';

/** The second copy of every object, in another region, that reads fall back to. */
export class ReplicaStack extends Stack {
  readonly bucket: Bucket;
  /** Encrypts the copies; null with keys that S3 holds. */
  readonly key: IKey | null;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    const names = namesOf(settings);
    const logs = logsBucket(this, names.replicaLogsBucket);
    this.key = objectKey(this, settings);
    this.bucket = privateBucket(this, 'Replica', {
      bucketName: names.replicaBucket,
      logs,
      key: this.key,
      hasPolicy: true,
    });
    retainAsTheServiceDoes(this.bucket);
    protect(this.bucket, settings, {
      distributionArn: null,
      roleArns: privateRoleArns(settings),
    });
    watchReplica(this, alarmTopic(this, settings), names);
  }
}
