import { expect } from 'vitest';

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

export interface EventStream {
  /** The next event that is wanted; those before it are passed over. Fails after 30 s. */
  next(wanted: (event: ServerEvent) => boolean): Promise<ServerEvent>;
  close(): void;
}

/** Follows server-sent events as a client with a token does. */
export async function followEvents(url: string, token?: string): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(url, {
    signal: controller.signal,
    headers: {
      accept: 'text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events: ServerEvent[] = [];
  void read(response, events).catch(() => undefined);

  return {
    async next(wanted) {
      let found: ServerEvent | undefined;
      await expect
        .poll(
          () => {
            while (found === undefined && events.length > 0) {
              const event = events.shift();
              if (event !== undefined && wanted(event)) found = event;
            }
            return found;
          },
          { timeout: 30_000, interval: 20 },
        )
        .toBeDefined();
      if (found === undefined) throw new Error('unreachable');
      return found;
    },
    close: () => controller.abort(),
  };
}

async function read(response: Response, events: ServerEvent[]): Promise<void> {
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const fields = new Map(part.split('\n').map((line) => fieldOf(line)));
      const data = fields.get('data');
      if (data !== undefined)
        events.push({ id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) });
    }
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
