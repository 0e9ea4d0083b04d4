// Figures, as ratios to bare work measured in the same run: see bench/RESULTS.md. One program after another, so that
// none disturbs the next; the names of some on the command line choose them: `images upload`.
import { globSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNode } from './support/run.ts';

const chosen = process.argv.slice(2);
const names = globSync('*.ts', { cwd: fileURLToPath(new URL('../bench', import.meta.url)) })
  .map((file) => path.basename(file, '.ts'))
  .filter((name) => chosen.length === 0 || chosen.includes(name))
  .toSorted();

if (names.length === 0) {
  console.error(`Expected names of programs in bench/ but received ${chosen.join(' ')}`);
  process.exitCode = 1;
}
for (const name of names) {
  console.log(`\n── ${name}`);
  const code = await runNode(`bench/${name}.ts`);
  if (code !== 0) process.exitCode = code;
}
