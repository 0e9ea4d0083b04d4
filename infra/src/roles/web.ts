import type { Role } from 'aws-cdk-lib/aws-iam';
import { DOCUMENTS_PREFIX, LEDGER_PREFIX } from '../buckets/prefixes.ts';
import type { Settings } from '../settings.ts';
import { grantObjectKeys, grantPrefixes, READ, REMOVE, type Resources, WRITE } from './grants.ts';
import { grantKeyRotation, grantWrapping } from './keys.ts';

/**
 * A web process receives uploads, signs forms for them, publishes what a moderator approved and hides what one took down
 * (copies between `items/` and `quarantine/view/`), and removes what was deleted. Of documents it writes the ciphertext
 * and reads one back for its owner; it restores nothing, ends no key, takes no events and does not speak to CloudFront.
 * That it may write below every prefix of the service is tried when it starts.
 */
export function grantWeb(role: Role, settings: Settings, resources: Resources): void {
  grantPrefixes(role, resources.bucketArn, {
    'temp/': [...READ, ...WRITE, ...REMOVE],
    'items/': [...READ, ...WRITE, ...REMOVE],
    'profiles/': [...READ, ...WRITE, ...REMOVE],
    'quarantine/': [...WRITE, ...REMOVE],
    'quarantine/view/': READ,
    'verification/': [...WRITE, ...REMOVE],
    [DOCUMENTS_PREFIX]: READ,
    [LEDGER_PREFIX]: READ,
  });
  // Reads fall back to the replica; deletions of versions are repeated there.
  grantPrefixes(role, resources.replicaArn, {
    'items/': [...READ, ...REMOVE],
    'profiles/': [...READ, ...REMOVE],
    'quarantine/': REMOVE,
    'quarantine/view/': READ,
    [DOCUMENTS_PREFIX]: [...READ, ...REMOVE],
    [LEDGER_PREFIX]: READ,
  });
  grantWrapping(role, settings);
  grantKeyRotation(role, settings);
  grantObjectKeys(role, resources.objectKeys);
}
