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

test('steps that were begun run side by side, and each shows what it said when it is awaited', async () => {
  const meet = 'dir=$(mktemp -d); mkfifo "$dir/meet"';
  const lines = await run(
    60,
    meet,
    `begin reader 10 cat "$dir/meet"`,
    `begin writer 10 bash -c 'echo hello >"$0"; exit 3' "$dir/meet"`,
    'await writer || echo "the writer: $?"',
    'await reader && rm -r "$dir"',
  );
  expect(lines).toEqual([
    '── writer',
    expect.stringMatching(/^── writer: exit code 3 after \d s$/),
    'the writer: 3',
    '── reader',
    'hello',
    expect.stringMatching(/^── reader: exit code 0 after \d s$/),
    'failed: writer',
  ]);
});

test('a step that could not be begun in time has failed when it is awaited', async () => {
  expect(await run(0, 'begin late 10 echo hello', 'await late || echo "late: $?"')).toEqual([
    '── late',
    '── late: not run, the time of the whole run is over',
    'late: 124',
    'failed: late',
  ]);
});

test('what was begun and never awaited ends with the run', async () => {
  const started = performance.now();
  expect(await run(60, 'begin endless 50 sleep 50', 'end_children')).toEqual(['failed:']);
  expect(performance.now() - started).toBeLessThan(20_000);
});
