import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { until } from './app.ts';

const run = promisify(execFile);
const SCRIPT = 'test/services/clamd.sh';

/** Whether Debian's `clamav-daemon` (or any clamd on the PATH) is installed. */
export function hasClamd(): boolean {
  return spawnSync('clamd', ['--version'], { stdio: 'ignore' }).status === 0;
}

export interface ClamdServer {
  /** Over TCP. */
  readonly url: string;
  /** Over a unix socket. */
  readonly socketUrl: string;
  readonly pid: number;
  /** SIGSTOP: takes connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** After `kill`: on the same addresses. */
  restart(): Promise<void>;
  /** Removes the signature of the test file, or puts it back; resolves when clamd has read its signatures again. */
  setFindsTestFile(finds: boolean): Promise<void>;
  /** Has it say that its daily signatures are from then. */
  dateSignatures(from: Date): Promise<void>;
  stop(): Promise<void>;
}

/** A real clamd on 127.0.0.1 with signatures of our own, answering when this resolves. */
export async function startClamd(options: { readonly streamMax?: string } = {}): Promise<ClamdServer> {
  const dir = await mkdtemp(join(tmpdir(), 'localex-clamd-'));
  const env = { ...process.env, CLAMD_STREAM_MAX: options.streamMax ?? '25M' };
  let pid = 0;
  const start = async (port?: string) => {
    const { stdout } = await run(SCRIPT, ['start', dir], { env: { ...env, CLAMD_PORT: port ?? '' } });
    pid = Number(await readFile(join(dir, 'pid'), 'utf8'));
    return stdout;
  };
  const told = await start();
  const url = valueOf(told, 'TEST_CLAMD_URL');
  const list = join(dir, 'db', 'test.ndb');
  const lines = await readFile(list, 'utf8');
  const readings = async () =>
    (await readFile(join(dir, 'log'), 'utf8')).split('Database correctly reloaded').length;
  const reload = async () => {
    const before = await readings();
    process.kill(pid, 'SIGUSR2');
    await until('clamd to read its signatures', async () => ((await readings()) > before ? true : null));
  };
  return {
    url,
    socketUrl: valueOf(told, 'TEST_CLAMD_SOCKET'),
    get pid() {
      return pid;
    },
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async kill() {
      process.kill(pid, 'SIGKILL');
      await until('the end of clamd', async () => (isAlive(pid) ? null : true));
    },
    restart: async () => void (await start(new URL(url).port)),
    async setFindsTestFile(finds) {
      await writeFile(`${list}.new`, finds ? lines : lines.replace(/^Test\.EICAR.*\n/m, ''));
      await rename(`${list}.new`, list);
      await reload();
    },
    async dateSignatures(from) {
      await writeFile(join(dir, 'db', 'daily.cud'), await dailySignatures(from));
      await reload();
    },
    async stop() {
      if (isAlive(pid)) process.kill(pid, 'SIGCONT');
      await run(SCRIPT, ['stop', dir]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * A list of daily signatures in the form that clamd takes without ClamAV's signature (.cud): a header of 512 bytes with number
 * and date, and a packed tar archive that repeats it beside the hashes of what it holds.
 */
async function dailySignatures(from: Date): Promise<Buffer> {
  const seconds = Math.floor(from.getTime() / 1000);
  const header = `ClamAV-VDB:01 Jan 2026 00-00 +0000:27500:1:90:x:x:localex:${seconds}`;
  const list = 'Test.Daily:0:*:6e6f7468696e67206973206c696b652074686973\n';
  const sha256 = createHash('sha256').update(list).digest('hex');
  const dir = await mkdtemp(join(tmpdir(), 'localex-daily-'));
  await writeFile(join(dir, 'daily.ndb'), list);
  await writeFile(join(dir, 'daily.info'), `${header}\ndaily.ndb:${list.length}:${sha256}\n`);
  const names = ['--format=ustar', '-C', dir, '-cf', '-', 'daily.info', 'daily.ndb'];
  const { stdout } = await run('tar', names, { encoding: 'buffer' });
  await rm(dir, { recursive: true });
  return Buffer.concat([Buffer.from(header.padEnd(512)), gzipSync(stdout)]);
}

function valueOf(exports: string, name: string): string {
  const value = new RegExp(`^export ${name}=(.+)$`, 'm').exec(exports)?.[1];
  if (value === undefined) throw new Error(`Expected ${name} in ${exports}`);
  return value;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
