import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const STEPS = fileURLToPath(new URL('../../../.ci/steps.sh', import.meta.url));

/** What a script of these steps prints, one line each, and then which of them failed. */
async function run(budgetSeconds: number, ...lines: readonly string[]): Promise<string[]> {
  const script = [`source "${STEPS}"`, ...lines, 'echo "failed: ${FAILED_STEPS[*]}"'].join('\n');
  const env = { PATH: process.env['PATH'] ?? '', BUDGET: String(budgetSeconds) };
  const { stdout } = await promisify(execFile)('bash', ['-uo', 'pipefail', '-c', script], { env });
  return stdout.trim().split('\n');
}

test('a step that fails is remembered, and the next one runs', async () => {
  expect(await run(60, 'step one 10 false || true', 'step two 10 echo hello')).toEqual([
    '── one',
    expect.stringMatching(/^── one: exit code 1 after \d s$/),
    '── two',
    'hello',
    expect.stringMatching(/^── two: exit code 0 after \d s$/),
    'failed: one',
  ]);
});

test('a step ends at its own limit', async () => {
  const lines = await run(60, 'step slow 1 sleep 30');
  expect(lines[1]).toMatch(/^── slow: exit code 124 after [12] s$/);
  expect(lines.at(-1)).toBe('failed: slow');
});

test('a step ends when the time of the whole run does, and what follows is not run', async () => {
  const lines = await run(1, 'step slow 600 sleep 30 || true', 'step never 600 echo hello');
  expect(lines[1]).toMatch(/^── slow: exit code 124 after [12] s$/);
  expect(lines).not.toContain('hello');
  expect(lines.slice(-2)).toEqual([
    '── never: not run, the time of the whole run is over',
    'failed: slow never',
  ]);
});
