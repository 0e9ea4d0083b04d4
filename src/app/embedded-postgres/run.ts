import { spawn } from 'node:child_process';
import { unavailable } from './failures.ts';
import type { ServerUser } from './server-user.ts';

const OUTPUT_KEPT = 4000;

export interface RunOptions {
  readonly cwd: string;
  readonly user: ServerUser | undefined;
  /** Milliseconds; past them the program is killed. */
  readonly limit: number;
  /** The message of the error when it does not end well. */
  readonly failure: string;
}

/**
 * Runs a program of PostgreSQL to its end.
 *
 * @throws StorageError DATABASE_UNAVAILABLE, with the end of its output
 */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<void> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    ...identity(options.user),
    ...cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.limit,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_KEPT);
    });
  }
  const ending = await new Promise<unknown>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (ending === undefined) return;
  const said = output.trim().split('\n').at(-1) ?? '';
  throw unavailable(`${options.failure} ${said}`.trim(), { program: file, output }, ending);
}

/** `uid` and `gid` for spawn; Node drops the supplementary groups with them. */
export function identity(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** None of this process's variables: they hold secrets, and PG… ones would steer the server. Windows programs need theirs. */
export function cleanEnvironment(): { env?: Record<string, string> } {
  return process.platform === 'win32'
    ? {}
    : { env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
}
