import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const DOCUMENTS = globSync('{*.md,docs/**/*.md}', { cwd: ROOT });

test.each(DOCUMENTS)('every relative link of %s leads to a file', (document) => {
  const targets = [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
    ([, target = '']) => target,
  );
  const missing = targets.filter(
    (target) => globSync(path.join(path.dirname(document), target), { cwd: ROOT }).length === 0,
  );
  expect(missing).toEqual([]);
});

test.each(DOCUMENTS)('every npm script that %s names exists', (document) => {
  const scripts = { '': scriptsOf('package.json'), ' --prefix infra': scriptsOf('infra/package.json') };
  for (const [said, , name = '', prefix] of read(document).matchAll(
    /npm run( --silent)? ([\w:-]+)( --prefix infra)?/g,
  ))
    expect(scripts[prefix === undefined ? '' : ' --prefix infra'], said).toContain(name);
});

function scriptsOf(manifest: string): readonly string[] {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read(manifest)));
  return Object.keys(scripts);
}

test('the index of decisions has each of them, by its title', () => {
  const index = read('docs/decisions/README.md');
  for (const file of globSync('docs/decisions/[0-9]*.md', { cwd: ROOT })) {
    const title = /^# \d+\.? (.*)$/m.exec(read(file))?.[1];
    expect(index).toContain(`[${title}](${path.basename(file)})`);
  }
});
