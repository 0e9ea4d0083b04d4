import { RETENTION_RULES, type RetentionRule } from './retention.ts';
import type { StorageClass } from './storage-class.ts';

/**
 * One rule of a bucket's lifecycle configuration, as S3's API names its parts. Days are counted from the writing of the
 * object (from its replacement, for old versions) and rounded up to the next midnight, UTC: "Setting an S3 Lifecycle
 * configuration on a bucket", Amazon S3 User Guide (2025).
 */
export interface BucketLifecycleRule {
  readonly ID: string;
  readonly Status: 'Enabled';
  readonly Filter: { readonly Prefix: string } | SizedFilter;
  readonly Expiration?: { readonly Days: number } | { readonly ExpiredObjectDeleteMarker: true };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
  readonly Transitions?: readonly { readonly Days: number; readonly StorageClass: StorageClass }[];
}

interface SizedFilter {
  readonly And: { readonly Prefix: string; readonly ObjectSizeGreaterThan: number };
}

/** What `PutBucketLifecycleConfiguration` takes. */
export interface BucketLifecycle {
  readonly Rules: readonly BucketLifecycleRule[];
}

/** The lifecycle configuration of a bucket, from the table of retention rules: what S3 carries out by itself. */
export function bucketLifecycle(rules: readonly RetentionRule[] = RETENTION_RULES): BucketLifecycle {
  return { Rules: rules.flatMap((rule) => bucketRules(rule)) };
}

function bucketRules(rule: RetentionRule): BucketLifecycleRule[] {
  const days = rule.enforced.by === 'bucket' ? rule.days : rule.enforced.lastResort?.days;
  if (days === undefined) return [];
  return rule.prefixes.map((prefix, index) => ({
    ID: index === 0 ? rule.id : `${rule.id}-${index + 1}`,
    Status: 'Enabled',
    Filter: filterOf(rule, prefix),
    ...actionOf(rule, days),
  }));
}

function filterOf({ action }: RetentionRule, prefix: string): BucketLifecycleRule['Filter'] {
  if (action.kind !== 'tier') return { Prefix: prefix };
  return { And: { Prefix: prefix, ObjectSizeGreaterThan: action.minBytes } };
}

function actionOf({ action }: RetentionRule, days: number): Partial<BucketLifecycleRule> {
  switch (action.kind) {
    case 'abort-upload':
      return { AbortIncompleteMultipartUpload: { DaysAfterInitiation: days } };
    case 'delete':
      return { Expiration: { Days: days } };
    case 'delete-old-versions':
      return {
        NoncurrentVersionExpiration: { NoncurrentDays: days },
        Expiration: { ExpiredObjectDeleteMarker: true },
      };
    case 'tier':
      return { Transitions: [{ Days: days, StorageClass: 'INTELLIGENT_TIERING' }] };
    case 'move':
      return { Transitions: [{ Days: days, StorageClass: action.to }] };
  }
}
