import type { Role } from 'aws-cdk-lib/aws-iam';
import { DOCUMENTS_PREFIX, UPLOADS_PREFIX } from '../buckets/prefixes.ts';
import { allow, grantObjectKeys, grantPrefixes, READ, REMOVE, type Resources, WRITE } from './grants.ts';

/**
 * A web process receives uploads, signs forms for them, publishes what a moderator approved and hides what one took down
 * (copies between `items/` and `quarantine/view/`), and removes what was deleted. Of documents it writes the ciphertext
 * and reads one back for its owner; it restores, re-classes and sweeps nothing.
 */
export function grantWeb(role: Role, resources: Resources): void {
  grantPrefixes(role, resources.bucketArn, {
    [UPLOADS_PREFIX]: [...READ, ...WRITE, ...REMOVE],
    'items/': [...READ, ...WRITE, ...REMOVE],
    'profiles/': [...READ, ...WRITE, ...REMOVE],
    'quarantine/view/': [...READ, ...WRITE, ...REMOVE],
    'quarantine/raw/': REMOVE,
    [DOCUMENTS_PREFIX]: [...READ, ...WRITE, ...REMOVE],
  });
  // Reads fall back to the replica; deletions of versions are repeated there.
  grantPrefixes(role, resources.replicaArn, {
    'items/': [...READ, ...REMOVE],
    'profiles/': [...READ, ...REMOVE],
    'quarantine/view/': [...READ, ...REMOVE],
    'quarantine/raw/': REMOVE,
    [DOCUMENTS_PREFIX]: [...READ, ...REMOVE],
  });
  allow(role, ['kms:Encrypt', 'kms:Decrypt'], resources.documentsKeyArn);
  allow(role, ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'], resources.distributionArn);
  grantObjectKeys(role, resources.objectKeys);
}
