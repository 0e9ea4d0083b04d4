import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { S3_GAPS } from '#test/contracts/object-store/s3-gaps.ts';
import { NOT_ON_S3 } from '#test/support/not-on-s3.ts';
import { withProofs } from '../../../scripts/support/s3-proofs.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
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

test('the document names what the suites leave out on S3, with its reason', () => {
  const left = [
    ...Object.entries(NOT_ON_S3.files).map(([file, reason]) => `| \`${file}\` | ${reason} |`),
    ...Object.entries(NOT_ON_S3.tests).map(([name, reason]) => `| “${name}” | ${reason} |`),
  ];
  const rows = document
    .slice(document.indexOf('| left out | why |'))
    .split('\n\n', 1)[0]
    ?.split('\n')
    .slice(2);
  expect(rows).toEqual(left);
});

test('what is left out on S3 is there to be left out', () => {
  const suites = globSync('test/{acceptance,faults,e2e}/**/*.test.ts', { cwd: ROOT });
  const sources = suites.map((file) => readFileSync(`${ROOT}/${file}`, 'utf8')).join('\n');
  expect(suites).toEqual(expect.arrayContaining(Object.keys(NOT_ON_S3.files)));
  for (const name of Object.keys(NOT_ON_S3.tests)) expect(sources).toContain(`test('${name}'`);
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
