import type { Role } from 'aws-cdk-lib/aws-iam';
import { PREFIXES } from '../../../src/domain/keys.ts';
import type { Settings } from '../settings.ts';
import { grantObjectKeys, grantPrefixes, READ, REMOVE, type Resources, WRITE } from './grants.ts';
import { grantDocumentKeys } from './keys.ts';

/**
 * A web process receives uploads, signs forms for them, publishes what a moderator approved and hides what one took down
 * (copies between `items/` and `quarantine/view/`), and removes what was deleted. Of documents it writes the ciphertext
 * and reads one back for its owner. It restores nothing, neither makes nor ends wrapping keys, writes no heads of the ledger,
 * takes no events and does not speak to CloudFront: workers do, and are told by the database within milliseconds. Beside the
 * ledger it writes what an admin has accepted after a restore of the database.
 * What it may write and delete is tried when it starts.
 */
export function grantWeb(role: Role, settings: Settings, resources: Resources): void {
  const everything = [...READ, ...WRITE, ...REMOVE];
  grantPrefixes(role, resources.bucketArn, {
    [PREFIXES.temporary]: everything,
    [PREFIXES.items]: everything,
    [PREFIXES.profiles]: everything,
    [PREFIXES.quarantine]: [...WRITE, ...REMOVE],
    [PREFIXES.quarantineView]: READ,
    [PREFIXES.documents]: everything,
    [PREFIXES.audit]: READ,
    [PREFIXES.auditRestores]: ['s3:PutObject', 's3:AbortMultipartUpload'],
  });
  // Reads fall back to the replica; deletions of versions are repeated there.
  grantPrefixes(role, resources.replicaArn, {
    [PREFIXES.items]: [...READ, ...REMOVE],
    [PREFIXES.profiles]: [...READ, ...REMOVE],
    [PREFIXES.quarantine]: REMOVE,
    [PREFIXES.quarantineView]: READ,
    [PREFIXES.documents]: [...READ, ...REMOVE],
  });
  grantDocumentKeys(role, settings);
  grantObjectKeys(role, resources.objectKeys);
}
