import pg from 'pg';
import type { Log } from '../ports/log.ts';

const CONNECT_MS = 5000;

export interface ListenerOptions {
  readonly connection: pg.ClientConfig;
  readonly log: Log;
  /** How often listeners are told to look for themselves while the connection is down. */
  readonly pollMs?: number;
}

/** `null`: the connection was or is down, something may have been missed. */
export type Notified = (payload: string | null) => void;

export interface Listener {
  /** Resolves once the channel is listened to. */
  listen(channel: string, notified: Notified): Promise<void>;
  close(): Promise<void>;
}

/**
 * One connection that LISTENs. NOTIFY comes after its transaction's commit. When the connection is lost it is made
 * anew, and every `pollMs` (default 1 s) until then listeners are called with null, so nobody waits for ever.
 */
export function createListener(options: ListenerOptions): Listener {
  const channels = new Map<string, Notified>();
  const pollMs = options.pollMs ?? 1000;
  let client: pg.Client | null = null;
  let connecting: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const tellAll = () => {
    for (const notified of channels.values()) tell(notified, null);
  };

  /** One who fails at a notification keeps nobody else from it, and does not end the process. */
  const tell = (notified: Notified | undefined, payload: string | null) => {
    try {
      notified?.(payload);
    } catch (error) {
      options.log.warn({ err: error }, 'a notification of the database could not be handled');
    }
  };

  const lost = (from: pg.Client) => (error?: Error) => {
    if (closed || client !== from) return;
    client = null;
    options.log.warn({ err: error }, 'the listening database connection was lost');
    reconnectLater();
  };

  const reconnectLater = () => {
    if (closed || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      tellAll();
      connect().then(tellAll, () => reconnectLater());
    }, pollMs);
  };

  const connect = () => {
    connecting ??= open().finally(() => {
      connecting = null;
    });
    return connecting;
  };

  const open = async () => {
    const fresh = new pg.Client({
      ...options.connection,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
    });
    fresh.on('error', lost(fresh));
    fresh.on('end', lost(fresh));
    fresh.on('notification', ({ channel, payload }) => tell(channels.get(channel), payload ?? ''));
    try {
      await fresh.connect();
      for (const channel of channels.keys()) await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      void fresh.end().catch(() => undefined);
      throw error;
    }
    if (closed) await fresh.end();
    else client = fresh;
  };

  return {
    async listen(channel, notified) {
      channels.set(channel, notified);
      if (client === null) await connect();
      else await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await connecting?.catch(() => undefined);
      await client?.end().catch(() => undefined);
    },
  };
}
