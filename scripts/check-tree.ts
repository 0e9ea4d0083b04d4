// Holds what neither compiler nor linter can: the direction of imports, no silenced checks, no file past 300 lines.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkFile } from './check-tree/check-file.ts';

const FOLDERS = '{src,test,scripts,bench,web/src,infra/{bin,src,test}}/**/*.{ts,tsx,mjs}';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync(FOLDERS, { cwd: root }).map((file) => file.replaceAll('\\', '/'));
const problems = files.flatMap((file) => checkFile(file, readFileSync(`${root}${file}`, 'utf8')));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`Checked ${files.length} files: imports point one way.`);
