import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../scripts/ci-summary.mjs', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'localex-summary-'));
  await writeFile(
    path.join(folder, 'one.json'),
    report(file('failed', 'passed', 'passed', 'failed', 'skipped', 'todo'), file('passed', 'passed')),
  );
  await writeFile(path.join(folder, 'two.json'), report(file('passed', 'passed', 'pending')));
  await writeFile(path.join(folder, 'not-loaded.json'), report(file('failed')));
  await writeFile(path.join(folder, 'cut.json'), '{"testResults": [');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('all reports are added up in one plain line', () => {
  expect(summary('one.json', 'two.json')).toBe('4 passed, 1 failed, 3 skipped\n');
});

test('a test file that could not be loaded is a failure', () => {
  expect(summary('not-loaded.json')).toBe('0 passed, 1 failed, 0 skipped\n');
});

test('a report that is missing or cut off counts nothing, and failed steps are failures', () => {
  expect(summary('--failed-steps=2', 'missing.json', 'cut.json', 'two.json')).toBe(
    '1 passed, 2 failed, 1 skipped\n',
  );
});

function summary(...args: readonly string[]): string {
  return execFileSync(process.execPath, [SCRIPT, ...args], { cwd: folder, encoding: 'utf8' });
}

function file(status: string, ...tests: readonly string[]) {
  return { status, assertionResults: tests.map((each) => ({ status: each })) };
}

function report(...testResults: readonly object[]): string {
  return JSON.stringify({ testResults });
}
