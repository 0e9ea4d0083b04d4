import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type ClamdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** One connection, a session of numbered commands (clamd(8), IDSESSION). */
export interface Session {
  /** Writes when the socket takes more; rejects once the session is over. */
  write(...parts: readonly Uint8Array[]): Promise<void>;
  /** The answer to the n-th command, counted from 1; rejects when the session ends without it. */
  answer(number: number): Promise<string>;
  /** Whether that answer is here. */
  hasAnswer(number: number): boolean;
  close(): void;
}

/** All answers of a session together are shorter. */
const MAX_ANSWER_BYTES = 4096;
const NUL = 0;

/**
 * Connects and begins a session. Rejects when nobody answers or by the signal, which ends the session at any time.
 * An answer counts once its NUL is here; one that arrives before a reset is kept.
 */
export async function openSession(address: ClamdAddress, signal: AbortSignal): Promise<Session> {
  signal.throwIfAborted();
  const socket = connect({ ...address, noDelay: true });
  const answers = new Map<number, string>();
  let over: Error | null = null;
  let wake = Promise.withResolvers<void>();
  const tell = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const end = (reason: Error) => {
    over ??= reason;
    socket.destroy();
    tell();
  };
  const abort = () => end(new Error('The scan was given up', { cause: signal.reason }));
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', end);
  socket.on('end', () => end(new Error('clamd closed the connection')));
  socket.on('close', () => {
    signal.removeEventListener('abort', abort);
    end(new Error('The connection to clamd was closed'));
  });
  socket.on('connect', tell);
  socket.on('drain', tell);
  readAnswers(
    socket,
    (number, text) => {
      answers.set(number, text);
      tell();
    },
    end,
  );

  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      if (over !== null) throw over;
      await wake.promise;
    }
  };
  const session: Session = {
    async write(...parts) {
      if (over !== null) throw over;
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
      await until(() => !socket.writableNeedDrain);
      // Between two writes what has come is read: writing to a reset connection throws away what nobody has read yet.
      await nextTurn();
    },
    async answer(number) {
      await until(() => answers.has(number));
      return answers.get(number) ?? '';
    },
    hasAnswer: (number) => answers.has(number),
    close: () => end(new Error('The session is closed')),
  };
  await until(() => !socket.connecting).catch((error: unknown) => {
    session.close();
    throw error;
  });
  await session.write(command('IDSESSION'));
  return session;
}

/** A command in the form that ends with NUL, and whose answer does. */
export function command(name: 'IDSESSION' | 'VERSION' | 'INSTREAM'): Uint8Array {
  return Buffer.from(`z${name}\0`, 'latin1');
}

function readAnswers(
  socket: Socket,
  take: (number: number, text: string) => void,
  refuse: (reason: Error) => void,
): void {
  let rest = Buffer.alloc(0);
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return refuse(new Error('clamd answers too much'));
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(NUL); at >= 0; at = rest.indexOf(NUL)) {
      const match = /^(\d{1,3}): (.*)$/s.exec(rest.toString('latin1', 0, at));
      if (match === null) return refuse(new Error('clamd answers something else'));
      take(Number(match[1]), match[2] ?? '');
      rest = rest.subarray(at + 1);
    }
  });
}
