import { StorageError } from '../domain/errors.ts';
import type { Child } from './child.ts';

export interface PoolOptions<Command> {
  readonly start: () => Child<Command>;
  /** How many processes there may be. */
  readonly processes: number;
  /** How long a process without work is kept. */
  readonly idleMs: number;
}

/** Lends each process to one caller at a time, in the order they asked. Processes start when they are needed. */
export interface ProcessPool<Command> {
  /** Waits for a turn. ABORTED when the signal comes first; IMAGE_PROCESS_FAILED once the pool is closed. */
  acquire(signal?: AbortSignal): Promise<Child<Command>>;
  /** Gives a process back, alive or dead. */
  release(process: Child<Command>): void;
  close(): Promise<void>;
}

export function createProcessPool<Command>(options: PoolOptions<Command>): ProcessPool<Command> {
  const waiting: Waiter[] = [];
  const idle = new Map<Child<Command>, NodeJS.Timeout>();
  const all = new Set<Child<Command>>();
  let lent = 0;
  let isClosed = false;

  const start = (): Child<Command> => {
    const process = options.start();
    all.add(process);
    void forget(process);
    return process;
  };
  const forget = async (process: Child<Command>) => {
    await process.exited;
    all.delete(process);
    clearTimeout(idle.get(process));
    idle.delete(process);
  };
  /** The one used last is warm; the others may grow old and end. */
  const takeIdle = (): Child<Command> | undefined => {
    const process = [...idle.keys()].findLast((candidate) => candidate.isAlive);
    if (process === undefined) return undefined;
    clearTimeout(idle.get(process));
    idle.delete(process);
    return process;
  };

  return {
    async acquire(signal) {
      if (signal?.aborted) throw new StorageError('ABORTED');
      if (isClosed) throw closedError();
      if (lent >= options.processes) await turn(waiting, signal);
      else lent += 1;
      return takeIdle() ?? start();
    },
    release(process) {
      if (process.isAlive && !isClosed)
        idle.set(
          process,
          setTimeout(() => process.kill(), options.idleMs),
        );
      const next = waiting.shift();
      if (next === undefined) lent -= 1;
      else next.go(); // the turn passes on, so `lent` stays
    },
    async close() {
      isClosed = true;
      for (const waiter of waiting.splice(0)) waiter.refuse(closedError());
      const ended = [...all].map((process) => process.exited);
      for (const process of all) process.kill();
      await Promise.all(ended);
    },
  };
}

interface Waiter {
  go(): void;
  refuse(error: StorageError): void;
}

function turn(waiting: Waiter[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => signal?.removeEventListener('abort', abort);
    const waiter: Waiter = {
      go() {
        leave();
        resolve();
      },
      refuse(error) {
        leave();
        reject(error);
      },
    };
    const abort = () => {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.refuse(new StorageError('ABORTED'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    waiting.push(waiter);
  });
}

function closedError(): StorageError {
  return new StorageError('IMAGE_PROCESS_FAILED', 'The image engine is closed.');
}
