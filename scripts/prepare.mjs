// Runs after `npm ci`: makes sure that npm scripts find the Node of this project, and builds the web app. The building
// is left out where the development dependencies are (production images build once, before pruning).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

linkNode();
buildWeb();

/**
 * npm 10 removes `.bin/node` again together with the Node packages of other platforms, which own a command of the same
 * name. Windows keeps what npm made: links need a privilege there.
 */
function linkNode() {
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  const name = names.find((candidate) => existsSync(join(root, 'node_modules', candidate, 'bin', 'node')));
  if (name === undefined || process.platform === 'win32' || existsSync(join(bin, 'node'))) return;
  mkdirSync(bin, { recursive: true });
  symlinkSync(join('..', name, 'bin', 'node'), join(bin, 'node'));
}

function buildWeb() {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite) || !existsSync(join(root, 'web', 'index.html'))) return;
  const built = spawnSync('node', [vite, 'build', 'web'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
