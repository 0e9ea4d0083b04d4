import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { StorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import { Reply, type Request } from './protocol.ts';

export interface ChildOptions {
  /** The file it runs. */
  readonly entry: string;
  /** What it is started with; JSON. */
  readonly settings: object;
  /** The longest that one call may take. */
  readonly callTimeoutMs: number;
  /** Resident memory at which a working process is ended; watched on Linux. */
  readonly memoryLimitMb: number;
  readonly log: Log;
}

/** One child process that looks at photos. It is dead after its first failure of any kind but an answered one, and stays so. */
export interface Child<Command> {
  readonly pid: number | undefined;
  readonly isAlive: boolean;
  /**
   * Resolves with what the process answered, unchecked. Rejects with the code it answered, with
   * IMAGE_PROCESS_FAILED when it crashed, took too long or too much memory, with ABORTED after the signal: what
   * runs in native code cannot be called off, so these end the process.
   */
  call(command: Command, signal?: AbortSignal): Promise<unknown>;
  kill(): void;
  readonly exited: Promise<void>;
}

const MIB = 1024 * 1024;
/**
 * All the environment there is in the process: no secret of the service. libvips refuses its own untrusted loaders
 * as well. glibc keeps what it has freed for the next picture instead of giving it back page by page, which saved
 * 6 % of the CPU; two arenas bound what it keeps, and an idle process ends and gives back everything.
 */
const ENVIRONMENT = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TOP_PAD_: String(64 * MIB),
  MALLOC_TRIM_THRESHOLD_: String(128 * MIB),
  MALLOC_MMAP_THRESHOLD_: String(64 * MIB),
  UV_THREADPOOL_SIZE: '2',
  VIPS_BLOCK_UNTRUSTED: '1',
};
const WATCH_EVERY_MS = 100;

interface Pending {
  resolve(result: unknown): void;
  reject(error: StorageError): void;
}

export function startChild<Command>(options: ChildOptions): Child<Command> {
  const child = fork(options.entry, [JSON.stringify(options.settings)], {
    serialization: 'advanced',
    execArgv: [],
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let isAlive = true;
  let reason = 'crash';

  const end = (why: string) => {
    if (isAlive) reason = why;
    isAlive = false;
    child.kill('SIGKILL');
  };
  const failAll = (details: object) => {
    isAlive = false;
    const error = new StorageError('IMAGE_PROCESS_FAILED', undefined, { details: { reason, ...details } });
    if (pending.size > 0)
      options.log.warn({ pid: child.pid, reason, ...details }, 'An image process ended at work');
    for (const call of pending.values()) call.reject(error);
    pending.clear();
  };
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      failAll({ code, signal });
      resolve();
    });
    child.once('error', (error) => {
      failAll({ message: error.message });
      resolve();
    });
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    options.log.warn({ pid: child.pid, text: chunk.toString().slice(0, 2000) }, 'An image process wrote');
  });
  child.on('message', (message: unknown) => {
    const reply = Reply.safeParse(message);
    if (!reply.success) return end('nonsense');
    const call = pending.get(reply.data.id);
    pending.delete(reply.data.id);
    if ('code' in reply.data) call?.reject(new StorageError(reply.data.code, reply.data.message));
    else call?.resolve(reply.data.result);
  });

  return {
    pid: child.pid,
    get isAlive() {
      return isAlive;
    },
    exited,
    kill: () => end('stopped'),
    async call(command, signal) {
      if (signal?.aborted) throw new StorageError('ABORTED');
      if (!isAlive) throw new StorageError('IMAGE_PROCESS_FAILED', undefined, { details: { reason } });
      const id = nextId++;
      const answer = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }));
      const request: Request<Command> = { id, command };
      const late = setTimeout(() => end('timeout'), options.callTimeoutMs);
      const watch = setInterval(() => void watchMemory(), WATCH_EVERY_MS);
      const watchMemory = async () => {
        const resident = await residentMb(child.pid);
        if (resident !== null && resident > options.memoryLimitMb) end('memory');
      };
      const abort = () => {
        const call = pending.get(id);
        pending.delete(id);
        end('aborted');
        call?.reject(new StorageError('ABORTED'));
      };
      signal?.addEventListener('abort', abort, { once: true });
      try {
        child.send(request, (error) => {
          if (error !== null) end('unreachable');
        });
        return await answer;
      } finally {
        clearTimeout(late);
        clearInterval(watch);
        signal?.removeEventListener('abort', abort);
      }
    },
  };
}

const PAGE_BYTES = 4096;

/** Resident memory, from `/proc/PID/statm`; null where there is no such file. */
async function residentMb(pid: number | undefined): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => null);
  return text === null ? null : (Number(text.split(' ')[1]) * PAGE_BYTES) / MIB;
}
