import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ALL_REQUESTS } from '../alarms/bucket.ts';
import { namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';
import { uploadCors } from './cors.ts';
import { acceptInventory, dailyInventory } from './inventory.ts';
import {
  expireAfter,
  logsBucket,
  privateBucket,
  REPORT_DAYS,
  resourceOf,
  retainAsTheServiceDoes,
} from './private-bucket.ts';
import { replicationRole, replicationTo } from './replication.ts';

interface MainBucketProps {
  readonly key: IKey | null;
  readonly replicaKey: IKey | null;
}

/** The bucket of all objects, with its logs and its reports beside it. */
export function mainBucket(scope: Construct, settings: Settings, props: MainBucketProps): Bucket {
  const { account } = settings;
  const names = namesOf(settings);
  const arn = `arn:aws:s3:::${names.bucket}`;
  const logs = logsBucket(scope, names.logsBucket);
  const reports = privateBucket(scope, 'Reports', { bucketName: names.reportsBucket, logs, key: null });
  expireAfter(reports, REPORT_DAYS);
  acceptInventory(reports, account, arn);

  const bucket = privateBucket(scope, 'Bucket', {
    bucketName: names.bucket,
    logs,
    key: props.key,
    hasPolicy: true,
  });
  retainAsTheServiceDoes(bucket);
  const resource = resourceOf(bucket);
  resource.corsConfiguration = uploadCors(settings.uploadOrigins);
  resource.inventoryConfigurations = [dailyInventory(account, reports)];
  resource.metricsConfigurations = [{ id: ALL_REQUESTS }];
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  resource.replicationConfiguration = replication(scope, settings, props);
  // S3 tries to write there when it is told to.
  if (reports.policy !== undefined) resource.node.addDependency(reports.policy);

  return bucket;
}

function replication(scope: Construct, settings: Settings, { key, replicaKey }: MainBucketProps) {
  const { account, region, replicaRegion } = settings;
  const names = namesOf(settings);
  const props = {
    roleName: names.replicationRole,
    account,
    sourceArn: `arn:aws:s3:::${names.bucket}`,
    targetArn: `arn:aws:s3:::${names.replicaBucket}`,
    keys:
      key === null || replicaKey === null
        ? null
        : {
            sourceArn: key.keyArn,
            targetArn: replicaKey.keyArn,
            regions: { source: region, target: replicaRegion },
          },
  };
  return replicationTo({ ...props, role: replicationRole(scope, 'ReplicationRole', props) });
}
