import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { BucketLifecycle, BucketLifecycleRule } from '../../../src/domain/bucket-lifecycle.ts';

/** The lifecycle configuration that the service derives from its retention rules, as CloudFormation spells it. */
export function lifecycleOf({ Rules }: BucketLifecycle): CfnBucket.LifecycleConfigurationProperty {
  return { rules: Rules.map(ruleOf) };
}

function ruleOf(rule: BucketLifecycleRule): CfnBucket.RuleProperty {
  return {
    id: rule.ID,
    status: rule.Status,
    ...filterOf(rule.Filter),
    ...expirationOf(rule.Expiration),
    ...(rule.NoncurrentVersionExpiration && {
      noncurrentVersionExpiration: { noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays },
    }),
    ...(rule.AbortIncompleteMultipartUpload && {
      abortIncompleteMultipartUpload: {
        daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
      },
    }),
    ...(rule.Transitions && {
      transitions: rule.Transitions.map(({ Days, StorageClass }) => ({
        transitionInDays: Days,
        storageClass: StorageClass,
      })),
    }),
  };
}

/** CloudFormation has no filter: prefix and size stand in the rule itself. */
function filterOf(filter: BucketLifecycleRule['Filter']) {
  if (!('And' in filter)) return { prefix: filter.Prefix };
  const { Prefix, ObjectSizeGreaterThan } = filter.And;
  return { prefix: Prefix, objectSizeGreaterThan: ObjectSizeGreaterThan };
}

function expirationOf(expiration: BucketLifecycleRule['Expiration']) {
  if (expiration === undefined) return {};
  return 'Days' in expiration ? { expirationInDays: expiration.Days } : { expiredObjectDeleteMarker: true };
}
