import { type IPrincipal, PrincipalWithConditions, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';
import { allow, type Resources } from './grants.ts';
import { grantWeb } from './web.ts';
import { grantWorker } from './worker.ts';

/**
 * One role a kind of process. Neither reaches another bucket or the settings of this one, and no action is a wildcard; what
 * each may do to which prefix is in `web.ts` and `worker.ts`.
 */
export function serviceRoles(scope: Construct, settings: Settings, resources: Resources) {
  const { webRole, workerRole } = namesOf(settings);
  const web = new Role(scope, 'WebRole', {
    roleName: webRole,
    description: 'Processes with the role http or edge',
    assumedBy: computeOf(settings),
  });
  const worker = new Role(scope, 'WorkerRole', {
    roleName: workerRole,
    description: 'Processes with the role worker',
    assumedBy: computeOf(settings),
  });
  for (const role of [web, worker]) {
    // Also without a key: S3 answers 404 for an object that is not there only to who may list; 403 otherwise.
    for (const arn of [resources.bucketArn, resources.replicaArn])
      allow(role, ['s3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketVersioning'], arn);
  }
  grantWeb(web, settings, resources);
  grantWorker(worker, settings, resources);
  return { web, worker };
}

/** Who may take the roles; ECS says on whose account's behalf it asks (IAM User Guide, "The confused deputy problem"). */
function computeOf({ compute, account }: Settings): IPrincipal {
  if (compute === 'ec2') return new ServicePrincipal('ec2.amazonaws.com');
  return new PrincipalWithConditions(new ServicePrincipal('ecs-tasks.amazonaws.com'), {
    StringEquals: { 'aws:SourceAccount': account },
  });
}
