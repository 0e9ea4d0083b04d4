import { send } from './client.ts';
import { createEventParser, type StreamEvent } from './event-stream.ts';
import { type Photo, PhotoSchema } from './schemas.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 20_000;
/** The service sends a comment at least every 15 s; silence for longer means that the connection is dead. */
const SILENCE_LIMIT_MS = 45_000;

export interface ItemWatcher {
  /** A photo of the listing has changed. */
  photo(photo: Photo): void;
  /** Order or membership has changed, or events may have been missed: read the list again. */
  stale(): void;
}

/**
 * Follows a listing until `signal` aborts. Uses fetch rather than EventSource, which cannot send a
 * token. Reconnects with backoff, and calls `stale` at each (re)connection and while there is none.
 */
export async function watchItem(itemId: string, watcher: ItemWatcher, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const silence = new AbortController();
    try {
      const response = await send(`/v1/items/${encodeURIComponent(itemId)}/events`, {
        headers: { accept: 'text/event-stream' },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      watcher.stale();
      pause = FIRST_PAUSE_MS;
      await read(
        response,
        silence,
        createEventParser((event) => dispatch(event, watcher)),
      );
    } catch {
      // Whatever ended the stream, the answer is the same: try again later.
    }
    if (signal.aborted) return;
    await wait(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    watcher.stale();
  }
}

async function read(
  response: Response,
  silence: AbortController,
  feed: (chunk: string) => void,
): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
      feed(part.value);
    }
  } finally {
    clearTimeout(timer);
  }
}

function dispatch(event: StreamEvent, watcher: ItemWatcher): void {
  if (event.name === 'order' || event.name === 'deleted') watcher.stale();
  if (event.name !== 'photo') return;
  const parsed = PhotoSchema.safeParse(parseJson(event.data));
  if (parsed.success) watcher.photo(parsed.data);
  else watcher.stale();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
