import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs vitest once with these filters and whatever the command line adds; its exit code becomes ours. */
export async function runVitest(...filters: readonly string[]): Promise<void> {
  process.exitCode = await runNode(
    'node_modules/vitest/vitest.mjs',
    'run',
    ...filters,
    ...process.argv.slice(2),
  );
}

/** Runs a program of the tree with this Node and resolves with its exit code, 1 when a signal ended it. */
export async function runNode(file: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [file, ...args], { cwd: ROOT, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', pass);
  const [code]: readonly unknown[] = await once(child, 'exit');
  process.off('SIGTERM', pass).off('SIGINT', pass);
  return typeof code === 'number' ? code : 1;
}
