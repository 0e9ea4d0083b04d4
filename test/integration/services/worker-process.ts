import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { urlOf } from '#test/support/app.ts';
import { type TestDatabase } from '#test/support/database.ts';

/** A worker of runs in a process of its own, on that database; it ends with what is closed. */
export function workerProcess(database: TestDatabase, closing: (() => Promise<unknown>)[]): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../runner-process.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], DATABASE_URL: urlOf(database) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing.push(() => kill(child, 'SIGKILL'));
  return child;
}

/** Resolves when it is over. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await over;
}
