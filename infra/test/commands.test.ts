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
  DetectModerationLabels: ['rekognition:DetectModerationLabels'],
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

/**
 * Commands that only workers send, with what only they do. That a web process sends none of them is shown by a started one:
 * real/web-process.test.ts.
 */
const WORKERS_ONLY: Readonly<Record<string, readonly string[]>> = {
  'bringing back what was archived': ['RestoreObject'],
  'removing uploads that nobody finished': ['ListMultipartUploads'],
  'taking the events of the bucket': [
    'ChangeMessageVisibility',
    'DeleteMessage',
    'GetQueueAttributes',
    'ReceiveMessage',
  ],
  'purging CloudFront and setting it up': [
    'CreateCachePolicy',
    'CreateInvalidation',
    'GetCachePolicy',
    'GetDistributionConfig',
    'GetInvalidation',
    'ListCachePolicies',
    'UpdateCachePolicy',
    'UpdateDistribution',
  ],
  'looking at photos': ['DetectModerationLabels'],
  'making, changing and ending wrapping keys': [
    'CreateAlias',
    'CreateKey',
    'GetKeyPolicy',
    'ListAliases',
    'ReEncrypt',
    'ScheduleKeyDeletion',
    'UpdateAlias',
  ],
};
const LEFT_TO_WORKERS = Object.values(WORKERS_ONLY).flat();
/** The one permission among those for a command that web processes go without: they read present versions only. */
const NOT_FOR_WEB = ['s3:GetObjectVersion'];

test('the worker may send every command that an adapter sends', () => {
  const allowed = actionsOf(EXAMPLE.names.workerRole);
  expect(commandsOfAdapters().size).toBeGreaterThan(15);
  for (const [command, file] of commandsOfAdapters())
    expect(missing(command, allowed), `${file} sends ${command}`).toEqual([]);
});

test('a web process may send every command but those that workers send', () => {
  const allowed = actionsOf(EXAMPLE.names.webRole);
  const commands = commandsOfAdapters();
  const theirs = [...commands].filter(([command]) => !LEFT_TO_WORKERS.includes(command));
  expect(theirs.length).toBeGreaterThan(15);
  for (const [command, file] of theirs)
    expect(
      missing(command, allowed).filter((action) => !NOT_FOR_WEB.includes(action)),
      `${file} sends ${command}`,
    ).toEqual([]);
  for (const command of LEFT_TO_WORKERS) {
    expect([...commands.keys()], 'a command that an adapter sends').toContain(command);
    expect(missing(command, allowed), `${command} is left to workers`).not.toEqual([]);
  }
});

function actionsOf(role: string): ReadonlySet<string> {
  return new Set(
    roleStatements(EXAMPLE)
      .get(role)
      ?.flatMap(({ Action }) => Action),
  );
}

function missing(command: string, allowed: ReadonlySet<string>): string[] {
  const needed = PERMISSIONS[command];
  if (needed === undefined) throw new Error(`Which permission does ${command} need?`);
  return needed.filter((action) => !allowed.has(action));
}
