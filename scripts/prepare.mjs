// Builds the web app after `npm ci`. Left out when the package is installed without its
// development dependencies (production images build it once, before pruning).
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vite = `${root}node_modules/vite/bin/vite.js`;
if (existsSync(vite) && existsSync(`${root}web/index.html`)) {
  const built = spawnSync('node', [vite, 'build', 'web'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exit(built.status ?? 1);
}
