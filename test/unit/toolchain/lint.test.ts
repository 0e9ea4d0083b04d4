import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** One violation a file. The linter runs once over all of them, with the project's own settings. */
const PLANTED = {
  'floating.ts': 'export function start() {\n  work();\n}\nasync function work() {}\n',
  'any.ts': 'export const x: any = 1;\n',
  'cast.ts': "export const x = 'a' as unknown as number;\n",
  'bang.ts': 'export const first = (list: string[]) => list[0]!;\n',
  'env.ts': "export const home = () => process.env['HOME'];\n",
  'cycle-a.ts': "import { b } from './cycle-b.ts';\nexport const a = () => b();\n",
  'cycle-b.ts': "import { a } from './cycle-a.ts';\nexport const b = (): unknown => a();\n",
  'fine.ts': 'export const one = 1;\n',
};

let found: ReadonlyMap<string, string>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'localex-lint-'));
  await mkdir(path.join(folder, 'src'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
    await copyFile(path.join(ROOT, file), path.join(folder, file));
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  for (const [name, source] of Object.entries(PLANTED))
    await writeFile(path.join(folder, 'src', name), source);
  found = await lint();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ['floating.ts', 'no-floating-promises'],
  ['any.ts', 'no-explicit-any'],
  ['cast.ts', 'no-unsafe-type-assertion'],
  ['bang.ts', 'no-non-null-assertion'],
  ['env.ts', 'no-process-env'],
  ['cycle-a.ts', 'no-cycle'],
  ['cycle-b.ts', 'no-cycle'],
])('the linter finds what is wrong in %s: %s', (file, rule) => {
  expect(found.get(file)).toContain(rule);
});

test('the linter leaves a file alone that breaks no rule', () => {
  expect(found.get('fine.ts')).toBeUndefined();
});

const Report = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

async function lint(): Promise<ReadonlyMap<string, string>> {
  const output = await new Promise<string>((resolve) => {
    const oxlint = path.join(folder, 'node_modules/oxlint/bin/oxlint');
    execFile(process.execPath, [oxlint, '-f', 'json'], { cwd: folder }, (_error, stdout) => resolve(stdout));
  });
  const codes = new Map<string, string>();
  for (const { filename, code } of Report.parse(JSON.parse(output)).diagnostics) {
    const name = path.basename(filename);
    codes.set(name, `${codes.get(name) ?? ''} ${code}`);
  }
  return codes;
}
