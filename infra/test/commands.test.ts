import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { roleStatements } from './support/statements.ts';
import { EXAMPLE } from './support/variants.ts';

const ADAPTERS = fileURLToPath(new URL('../../src/adapters', import.meta.url));

/** What AWS asks permission for when a command of its SDK is sent (Service Authorization Reference, 2025). */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  AbortMultipartUpload: ['s3:AbortMultipartUpload'],
  CompleteMultipartUpload: ['s3:PutObject'],
  CopyObject: ['s3:GetObject', 's3:GetObjectTagging', 's3:PutObject', 's3:PutObjectTagging'],
  CreateMultipartUpload: ['s3:PutObject'],
  DeleteObject: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  GetBucketVersioning: ['s3:GetBucketVersioning'],
  GetObject: ['s3:GetObject', 's3:GetObjectVersion'],
  GetObjectTagging: ['s3:GetObjectTagging'],
  HeadBucket: ['s3:ListBucket'],
  HeadObject: ['s3:GetObject', 's3:ListBucket'],
  ListMultipartUploads: ['s3:ListBucketMultipartUploads'],
  ListObjectVersions: ['s3:ListBucketVersions'],
  ListObjectsV2: ['s3:ListBucket'],
  ListParts: ['s3:ListMultipartUploadParts'],
  PutObject: ['s3:PutObject'],
  PutObjectTagging: ['s3:PutObjectTagging'],
  RestoreObject: ['s3:RestoreObject'],
  UploadPart: ['s3:PutObject'],
  ChangeMessageVisibility: ['sqs:ChangeMessageVisibility'],
  DeleteMessage: ['sqs:DeleteMessage'],
  GetQueueAttributes: ['sqs:GetQueueAttributes'],
  ReceiveMessage: ['sqs:ReceiveMessage'],
  CreateCachePolicy: ['cloudfront:CreateCachePolicy'],
  CreateInvalidation: ['cloudfront:CreateInvalidation'],
  GetCachePolicy: ['cloudfront:GetCachePolicy'],
  GetDistributionConfig: ['cloudfront:GetDistributionConfig'],
  GetInvalidation: ['cloudfront:GetInvalidation'],
  ListCachePolicies: ['cloudfront:ListCachePolicies'],
  UpdateCachePolicy: ['cloudfront:UpdateCachePolicy'],
  UpdateDistribution: ['cloudfront:UpdateDistribution'],
  CreateAlias: ['kms:CreateAlias'],
  CreateKey: ['kms:CreateKey', 'kms:TagResource'],
  Decrypt: ['kms:Decrypt'],
  DescribeKey: ['kms:DescribeKey'],
  Encrypt: ['kms:Encrypt'],
  GetKeyPolicy: ['kms:GetKeyPolicy'],
  ListAliases: ['kms:ListAliases'],
  ReEncrypt: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  ScheduleKeyDeletion: ['kms:ScheduleKeyDeletion'],
  UpdateAlias: ['kms:UpdateAlias'],
};

/** Every command that an adapter sends, with where; `paginateX` sends X. */
function commandsOfAdapters(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of globSync('**/*.ts', { cwd: ADAPTERS })) {
    const source = readFileSync(`${ADAPTERS}/${file}`, 'utf8');
    if (!source.includes('@aws-sdk/client-')) continue;
    for (const [, sent, paged] of source.matchAll(/\bnew (\w+)Command\(|\bpaginate(\w+)\(/g))
      found.set(sent ?? paged ?? '', file);
  }
  return found;
}

test('the worker may send every command that an adapter sends', () => {
  const commands = commandsOfAdapters();
  expect(commands.size).toBeGreaterThan(15);
  const allowed = new Set(
    roleStatements(EXAMPLE)
      .get(EXAMPLE.names.workerRole)
      ?.flatMap(({ Action }) => Action),
  );
  for (const [command, file] of commands) {
    const needed = PERMISSIONS[command];
    expect(needed, `${file} sends ${command}: which permission does it need?`).toBeDefined();
    expect(
      needed?.filter((action) => !allowed.has(action)),
      `${file} sends ${command}`,
    ).toEqual([]);
  }
});
