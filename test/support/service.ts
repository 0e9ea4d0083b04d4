import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { credentialsIn, removeStorage, storageSettings } from './storage-under-test.ts';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What Node compiled at the last start: a start without it takes half a second of a processor longer. */
const COMPILED = path.join(ROOT, 'node_modules/.cache/localex-storage-tests');
/** What `npm start` gives to node, and sets for it. */
const [startSetting = '', startCommand = ''] = packageJson.scripts.start.split(' exec node ');
const startArguments = startCommand.split(' ');
const startEnvironment = Object.fromEntries([startSetting.split('=')]);
/** A first start makes a database; on a busy machine with two cores it has been seen to take 8 s. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const POLL_MS = 50;

export interface RunningService {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** What it has written to stdout and stderr so far. */
  output(): string;
  /** SIGTERM, then waits for the end; resolves with the exit code. Removes a data folder that was made here. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a crash would: children and data stay behind. `stop()` afterwards tidies up. */
  kill9(): Promise<void>;
}

export interface StartOptions {
  /** Settings of the service. Nothing else of this process's environment reaches it but PATH, HOME and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  /** An existing data folder, for a second start on it; it is kept by `stop()`. Default: a new one. */
  readonly dataDir?: string;
}

/**
 * Starts the real service (`src/main.ts`) on a free port and resolves once `/readyz` answers 200.
 * The chosen port is read from `service.json`, which the service writes into its data folder.
 */
export async function startService(options: StartOptions = {}): Promise<RunningService> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  const storage = await storageSettings(dataDir);
  const child = spawn(process.execPath, startArguments, {
    cwd: ROOT,
    env: {
      ...inherited(),
      ...startEnvironment,
      NODE_COMPILE_CACHE: COMPILED,
      PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: dataDir,
      TEXT_READING: 'false',
      // Tests upload the same few photos for many sellers.
      FIND_COPIES: 'false',
      ...storage,
      ...options.env,
      ...credentialsIn(storage),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const output = () => written.join('');

  const tidy = async () => {
    await endSurvivor(dataDir);
    if (options.dataDir !== undefined) return;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    await removeStorage(dataDir);
  };
  const url = await untilReady(child, dataDir, output).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await ended;
    await tidy();
    throw error;
  });

  return {
    url,
    pid: child.pid ?? -1,
    dataDir,
    output,
    async stop() {
      if (isAlive(child)) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      const code = await ended;
      clearTimeout(late);
      await tidy();
      return code;
    },
    async kill9() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The embedded database runs as another user and must be able to enter the folder. */
async function makeDataDir(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'localex-'));
  await chmod(folder, 0o755);
  return folder;
}

function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'TEMP'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

async function untilReady(child: ChildProcess, dataDir: string, output: () => string): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (!isAlive(child))
      throw new Error(`The service ended with ${child.exitCode} before it was ready:\n${output()}`);
    const url = await readAddress(dataDir, child.pid);
    if (url && (await answers(`${url}/readyz`))) return url;
    await pause(POLL_MS);
  }
  throw new Error(`The service was not ready after ${START_LIMIT_MS / 1000} s:\n${output()}`);
}

const Address = z.object({ url: z.string(), pid: z.number() });

/** Null while the file is missing, half written, or left by an earlier process. */
async function readAddress(dataDir: string, pid: number | undefined): Promise<string | null> {
  try {
    const address = Address.parse(JSON.parse(await readFile(path.join(dataDir, 'service.json'), 'utf8')));
    return address.pid === pid ? address.url.replace(/\/$/, '') : null;
  } catch {
    return null;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** After a crash the embedded PostgreSQL is still there: it is asked to stop by the pid in its own pid file. */
async function endSurvivor(dataDir: string): Promise<void> {
  const text = await readFile(path.join(dataDir, 'postgres/18/postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (pid > 1) await endProcess(pid);
}

async function endProcess(pid: number): Promise<void> {
  const deadline = Date.now() + STOP_LIMIT_MS;
  try {
    process.kill(pid, 'SIGINT');
    while (Date.now() < deadline) {
      process.kill(pid, 0);
      await pause(POLL_MS);
    }
  } catch {
    // It is gone.
  }
}
