import { Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';
import { allow } from './grants.ts';

/** What the service tags its wrapping keys with (src/adapters/keys/kms.ts); the first one, made here, has it too. */
export const KEY_TAG = { name: 'localex-storage', value: 'document-keys' } as const;

const ONLY_OURS = { StringEquals: { [`aws:ResourceTag/${KEY_TAG.name}`]: KEY_TAG.value } };
/** Each wrapped key is bound to its file and owner, and to nothing else: no call without these is a call of ours. */
const BOUND = {
  Null: { 'kms:EncryptionContext:fileId': 'false', 'kms:EncryptionContext:ownerId': 'false' },
  'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['purpose', 'fileId', 'ownerId'] },
};

/** Wraps and unwraps the keys of documents, with wrapping keys that carry our tag. */
export function grantDocumentKeys(role: Role, settings: Settings): void {
  const keys = keyArns(settings);
  allow(role, ['kms:Encrypt', 'kms:Decrypt'], keys, { ...BOUND, ...ONLY_OURS });
  allow(role, ['kms:DescribeKey'], keys, ONLY_OURS);
  acknowledge(role, keys, 'Wrapping keys come and go by rotation; which ones is decided by their tag.');
}

/**
 * Makes a new wrapping key and points the alias to it, re-wraps with it what older ones wrap, and ends those. Making a key and
 * listing aliases know no narrower resource than all (Service Authorization Reference, "AWS KMS", 2025); a new key must carry our
 * tag, and a key that somebody uses already (one with an alias) cannot be given it.
 */
export function grantKeyRotation(role: Role, settings: Settings): void {
  const { account, region } = settings;
  const { documentsAlias } = namesOf(settings);
  const keys = keyArns(settings);
  const alias = `arn:aws:kms:${region}:${account}:${documentsAlias}`;
  const asOurs = { [`aws:RequestTag/${KEY_TAG.name}`]: KEY_TAG.value };
  allow(role, ['kms:ReEncryptFrom', 'kms:ReEncryptTo'], keys, { ...BOUND, ...ONLY_OURS });
  allow(role, ['kms:CreateKey'], '*', { StringEquals: asOurs });
  allow(role, ['kms:TagResource'], keys, {
    StringEquals: asOurs,
    'ForAllValues:StringEquals': { 'aws:TagKeys': [KEY_TAG.name] },
    Null: { 'kms:ResourceAliases': 'true' },
  });
  allow(role, ['kms:ListAliases'], '*');
  allow(
    role,
    ['kms:GetKeyPolicy', 'kms:CreateAlias', 'kms:UpdateAlias', 'kms:ScheduleKeyDeletion'],
    keys,
    ONLY_OURS,
  );
  allow(role, ['kms:CreateAlias'], `${alias}-version-*`);
  allow(role, ['kms:UpdateAlias'], alias);
  acknowledge(role, '*', 'AWS knows no narrower resource for kms:CreateKey and kms:ListAliases.');
  acknowledge(
    role,
    `${alias}-version-*`,
    'One alias for each key that the service has made, by the id of the key.',
  );
}

function keyArns({ account, region }: Settings): string {
  return `arn:aws:kms:${region}:${account}:key/*`;
}

function acknowledge(role: Role, resource: string, reason: string): void {
  Validations.of(role).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`, reason });
}
