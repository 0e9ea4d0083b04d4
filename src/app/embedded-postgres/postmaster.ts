import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import { type PostgresBinaries, program } from './binaries.ts';
import { type DataFolder, dataFolderArgument } from './data-folder.ts';
import type { Endpoint } from './endpoint.ts';
import { ifThere } from './failures.ts';
import { waitUntil, worksIn } from './processes.ts';
import { cleanEnvironment, identity, run } from './run.ts';
import type { ServerUser } from './server-user.ts';
import { clearSocket, type Postmaster, readPidFile } from './survivor.ts';

/** A start may replay the whole write-ahead log (at most 256 MB) on a slow disk. */
export const START_LIMIT_MS = 120_000;
const FAST_STOP_MS = 10_000;
const IMMEDIATE_STOP_MS = 5000;
/** The server's log is started afresh at the next start past this size, in bytes. */
const LOG_LIMIT = 1_000_000;

/** Said while processes of a killed server still hold its memory. One in the middle of a long query goes on with it. */
export const ORPHANS_AT_WORK = 'pre-existing shared memory block';

/** What passes: a killed server's other processes ending, or one that was faster to the port. */
const PASSING = [
  ORPHANS_AT_WORK,
  'lock file "postmaster.pid" already exists',
  'lock file "postmaster.pid" is empty',
  'bogus data in lock file "postmaster.pid"',
  'Address already in use',
];

export interface Launch {
  readonly data: DataFolder;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
}

export type LaunchOutcome =
  | { readonly ready: true; readonly postmaster: Postmaster }
  | { readonly ready: false; readonly retryable: boolean; readonly output: string };

/**
 * Starts the server in a session of its own: a Ctrl-C at the terminal reaches only us, who stop it in
 * order, and a kill -9 of us leaves it whole, to be adopted.
 */
export async function launchPostmaster(launch: Launch, endpoint: Endpoint): Promise<LaunchOutcome> {
  const { folder, logFile } = launch.data;
  const size = (await ifThere(stat(logFile)))?.size ?? 0;
  const logStart = size > LOG_LIMIT ? 0 : size;
  await clearSocket(endpoint);
  const child = await spawnServer(launch, logStart === 0 ? 'w' : 'a');
  const ended = endOf(child);
  const inTime = await waitUntil(async () => ended() || (await isReady(folder, child)), START_LIMIT_MS);

  const found = await readPidFile(folder);
  if (inTime && !ended() && found !== undefined && found !== 'unreadable') {
    return { ready: true, postmaster: { pid: found.pid, endpoint } };
  }
  if (!ended()) child.kill('SIGQUIT');
  const output = (await readFile(logFile)).subarray(logStart).toString().slice(-4000);
  return { ready: false, retryable: ended() && PASSING.some((text) => output.includes(text)), output };
}

/**
 * Fast shutdown, and an immediate one (the next start recovers, nothing committed is lost) when that takes
 * more than 10 s. Resolves when the server is gone, or after 15 s, having said so.
 */
export async function stopPostmaster(
  pid: number,
  {
    data,
    binaries,
    log,
  }: Pick<Launch, 'data' | 'binaries'> & { log: (message: string, details?: object) => void },
): Promise<void> {
  const gone = async (): Promise<boolean> => !(await worksIn(pid, data.folder));
  if (await gone()) return;
  if (process.platform === 'win32') {
    const args = ['stop', '-D', data.folder, '-m', 'fast', '-t', String(FAST_STOP_MS / 1000)];
    const failure = 'PostgreSQL did not stop in time.';
    await run(program(binaries, 'pg_ctl'), args, {
      cwd: data.folder,
      user: undefined,
      limit: START_LIMIT_MS,
      failure,
    });
    return;
  }
  process.kill(pid, 'SIGINT');
  if (await waitUntil(gone, FAST_STOP_MS)) return;
  log('PostgreSQL takes too long to stop and is stopped at once', { pid });
  process.kill(pid, 'SIGQUIT');
  if (!(await waitUntil(gone, IMMEDIATE_STOP_MS))) log('PostgreSQL does not stop', { pid });
}

async function spawnServer({ data, binaries, user }: Launch, logMode: 'w' | 'a'): Promise<ChildProcess> {
  const { folder, logFile } = data;
  const output = await open(logFile, logMode, 0o600);
  try {
    // On Windows pg_ctl takes the administrator's rights away, which the server refuses to have.
    const [file, args] =
      process.platform === 'win32'
        ? [program(binaries, 'pg_ctl'), ['start', '-W', '-D', folder]]
        : [program(binaries, 'postgres'), ['-D', await dataFolderArgument(folder, user)]];
    const child = spawn(file, args, {
      cwd: folder,
      ...identity(user),
      ...cleanEnvironment(),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      windowsHide: true,
    });
    child.unref();
    return child;
  } finally {
    await output.close();
  }
}

/** Whether the server's process has ended. On Windows the child is pg_ctl, which may end well at once. */
function endOf(child: ChildProcess): () => boolean {
  let failed = false;
  child.once('error', () => {
    failed = true;
  });
  return () =>
    failed ||
    child.signalCode !== null ||
    (child.exitCode !== null && (process.platform !== 'win32' || child.exitCode !== 0));
}

async function isReady(folder: string, child: ChildProcess): Promise<boolean> {
  const found = await readPidFile(folder);
  if (found === undefined || found === 'unreadable' || !found.ready) return false;
  return process.platform === 'win32' || found.pid === child.pid;
}
