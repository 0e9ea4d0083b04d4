import { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';
import { aborted } from './failures.ts';
import { chooseLanes } from './lanes.ts';
import { letGo, type Part, readPart } from './part.ts';

/** Inclusive bounds, as in HTTP. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const PART_BYTES = 8 * 1024 ** 2;

/**
 * The bytes of a range, in order and without being copied. They come over the connection that has begun while that is as
 * fast as their reader; once it is the slower one, in parts that are read side by side. So a slow reader holds one
 * connection, and 8 MiB. Destroying the stream stops all parts.
 *
 * @param begun an answer whose body starts at `whole.start`
 * @param open asks for a range; what it answers is pinned to the same object
 */
export function rangesInOrder(
  begun: Readable,
  whole: Range & { readonly signal: AbortSignal | undefined },
  open: (range: Range, signal: AbortSignal) => Promise<Readable>,
  now: () => number = () => performance.now(),
): Readable {
  const { signal } = whole;
  const stopped = new AbortController();
  const stop = AbortSignal.any([stopped.signal, ...(signal === undefined ? [] : [signal])]);
  const parts: Part[] = [];
  const patience = waitingTime(now);
  const lanes = chooseLanes();
  let next = whole.start;
  let connection: Readable | null = begun;
  let wanted = false;

  const ask = () => {
    const range = { start: next, end: Math.min(next + PART_BYTES - 1, whole.end) };
    const goesOn = lanes.count() === 1 ? whole.end : range.end;
    const reopen = (from: number) => open({ start: from, end: goesOn }, stop);
    parts.push(readPart(range, connection, { open: reopen, signal: stop, onBytes: give }));
    connection = null;
    next = range.end + 1;
  };
  const askForMore = (done: Part | undefined) => {
    lanes.passed(patience.take());
    // Only the part right behind can go on with the same connection.
    if (parts.length === 0 && next <= whole.end) connection = done?.rest() ?? null;
    else letGo(done?.rest() ?? null);
    while (parts.length < lanes.count() && next <= whole.end) ask();
  };
  /** Passes on what has come of the part whose turn it is. */
  const give = () => {
    while (wanted) {
      const part = parts[0];
      const chunk = part?.take() ?? null;
      if (chunk !== null) {
        patience.stop();
        wanted = body.push(chunk);
      } else if (part === undefined) {
        wanted = false;
        body.push(null);
      } else if (part.failure() !== null) return void body.destroy(asError(part.failure()));
      else if (part.isDone()) askForMore(parts.shift());
      else return patience.start();
    }
  };
  const onAbort = () => {
    if (signal !== undefined) body.destroy(aborted(signal));
  };
  const body = new Readable({
    highWaterMark: 1024 ** 2,
    read() {
      wanted = true;
      give();
    },
    destroy(error, done) {
      signal?.removeEventListener('abort', onAbort);
      wanted = false;
      stopped.abort();
      begun.destroy();
      done(error);
    },
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  ask();
  return body;
}

/** Milliseconds for which a reader has waited since they were last taken. */
function waitingTime(now: () => number) {
  let waited = 0;
  let since: number | null = null;
  return {
    start: () => void (since ??= now()),
    stop() {
      if (since !== null) waited += now() - since;
      since = null;
    },
    take() {
      this.stop();
      const taken = waited;
      waited = 0;
      return taken;
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new StorageError('INTERNAL', undefined, { cause: error });
}
