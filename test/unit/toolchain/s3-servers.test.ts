import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { S3_GAPS } from '#test/contracts/object-store/s3-gaps.ts';
import { withProofs } from '../../../scripts/support/s3-proofs.ts';

const document = readFileSync(new URL('../../../docs/storage/s3-servers.md', import.meta.url), 'utf8');

test('the document of S3 servers names every gap of each server, with its reason', () => {
  const rows = document.split('\n').filter((line) => line.startsWith('| '));
  for (const gaps of Object.values(S3_GAPS))
    for (const [clause, reason] of Object.entries(gaps))
      expect(
        rows.filter((row) => row.includes(`| ${clause} |`) && row.includes(reason)),
        clause,
      ).toHaveLength(1);
});

test('a clause that failed is not written down as a proof', () => {
  const clause = {
    ancestorTitles: ['an object store on S3 (Ceph RGW)', 'bytes'],
    title: 'x',
    status: 'failed',
  };
  const report = { testResults: [{ name: '/object-store.s3.test.ts', assertionResults: [clause] }] };
  expect(() => withProofs(document, report)).toThrow('“x” failed on Ceph RGW');
});
