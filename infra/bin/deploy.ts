// npm run deploy [-- OPTIONS OF `cdk deploy`]: needs settings.json, and credentials as the AWS SDK finds them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { deploy } from '../src/operator/deploy.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

async function cdk(args: readonly string[]): Promise<number> {
  const child = spawn('cdk', args, { cwd: folder, stdio: 'inherit' });
  const [code]: readonly unknown[] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

try {
  process.exitCode = await deploy({ folder, cdk, args: process.argv.slice(2), say: console.log });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
