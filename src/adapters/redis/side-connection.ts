import type { Redis } from 'ioredis';
import type { Log } from '#src/ports/log.ts';
import { createBreaker } from '../breaker.ts';

/** A request never waits longer for what Redis could tell it. Milliseconds. */
const ANSWER_MS = 200;
const CONNECT_MS = 5_000;
const RECONNECT_MS = 500;

/** A connection for what is nice to have: caches and counters. Whoever asks can do without an answer. */
export interface SideConnection {
  readonly client: Redis;
  /**
   * Runs commands of `client`, each for 200 ms at most. Rejects with whatever keeps Redis from answering; at once while it is
   * being left alone (`createBreaker`).
   */
  ask<T>(commands: () => Promise<T>): Promise<T>;
  close(): void;
}

/** Connects in the background: who asks before that is told that Redis is away. */
export async function createSideConnection(options: {
  readonly url: string;
  /** What the connection is for, as the server lists it and the log tells it. */
  readonly purpose: string;
  readonly log: Log;
}): Promise<SideConnection> {
  // Only who uses Redis pays for loading it.
  const { Redis } = await import('ioredis');
  const client = new Redis(options.url, {
    connectionName: `localex-storage-${options.purpose}`,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => RECONNECT_MS,
  });
  // What it complains of is told by the breaker, once.
  client.on('error', () => {});
  const breaker = createBreaker({ server: `the Redis for ${options.purpose}`, log: options.log });
  return {
    client,
    ask: (commands) => breaker.run(commands),
    close: () => client.disconnect(),
  };
}
