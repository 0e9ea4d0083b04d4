import { Readable } from 'node:stream';
import { StorageError } from '#src/domain/errors.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';

/** What goes wrong with a call: it never reached the store, its answer was lost, or its body breaks off. */
export type Fault =
  | { readonly when: 'before' | 'after'; readonly error: unknown }
  | { readonly when: 'body'; readonly afterBytes: number; readonly error: unknown };

type Operation = 'put' | 'get' | 'head' | 'delete' | 'list' | 'copy' | 'restore' | 'ping';

export interface FaultyStore extends ObjectStore {
  /** The next calls of an operation meet these faults, one each; null lets one pass. */
  plan(operation: Operation, ...faults: (Fault | null)[]): void;
  /** Calls so far. */
  calls(operation: Operation): number;
  /** Keys of bodies that it gave and nobody read to the end or dropped: each may hold a file open. */
  leftOpen(): readonly string[];
}

/** 503 SlowDown, as a driver reports it. */
export const slowDown: Fault = { when: 'before', error: new StorageError('STORAGE_UNAVAILABLE') };
/** The call was made, and its answer lost to a reset connection. */
export const answerLost: Fault = { when: 'after', error: new StorageError('STORAGE_UNAVAILABLE') };

/** A real store behind faults that happen on the way to it. */
export function faultyStore(store: ObjectStore): FaultyStore {
  const planned = new Map<Operation, (Fault | null)[]>();
  const counts = new Map<Operation, number>();
  const given: { readonly key: string; readonly body: Readable }[] = [];

  async function through<T>(
    operation: Operation,
    work: () => Promise<T>,
    drop: (value: T) => void = () => {},
  ): Promise<{ value: T; fault: Fault | null }> {
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    const fault = planned.get(operation)?.shift() ?? null;
    if (fault?.when === 'before') throw fault.error;
    const value = await work();
    if (fault?.when === 'after') {
      drop(value);
      throw fault.error;
    }
    return { value, fault };
  }
  async function plain<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const { value } = await through(operation, work);
    return value;
  }

  return {
    ...store,
    plan: (operation, ...faults) =>
      void planned.set(operation, [...(planned.get(operation) ?? []), ...faults]),
    calls: (operation) => counts.get(operation) ?? 0,
    leftOpen: () => given.filter(({ body }) => !body.destroyed).map(({ key }) => key),
    put: (...args) => plain('put', () => store.put(...args)),
    async get(...args) {
      const { value, fault } = await through(
        'get',
        () => store.get(...args),
        ({ body }) => body.destroy(),
      );
      given.push({ key: args[0], body: value.body });
      return fault?.when === 'body'
        ? { ...value, body: breaking(value.body, fault.afterBytes, fault.error) }
        : value;
    },
    head: (...args) => plain('head', () => store.head(...args)),
    delete: (...args) => plain('delete', () => store.delete(...args)),
    list: (...args) => plain('list', () => store.list(...args)),
    copy: (...args) => plain('copy', () => store.copy(...args)),
    ping: (...args) => plain('ping', () => store.ping(...args)),
    ...(store.restore && {
      restore: (key, days) => plain('restore', async () => store.restore?.(key, days)),
    }),
  };
}

function breaking(body: Readable, afterBytes: number, error: unknown): Readable {
  async function* some(): AsyncGenerator<Uint8Array> {
    let left = afterBytes;
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) continue;
      if (chunk.length > left) {
        yield chunk.subarray(0, left);
        break;
      }
      yield chunk;
      left -= chunk.length;
    }
    throw error;
  }
  return Readable.from(some(), { objectMode: false });
}
