import { isIPv4 } from 'node:net';
import { StorageError } from '#src/domain/errors.ts';
import type { App } from './deps.ts';

/**
 * Development mode gives tokens to whoever asks, so it answers to this machine's own names only: otherwise any web
 * page could make its own name point here (DNS rebinding) and ask as an admin. FORBIDDEN for a Host, or an Origin of
 * a request that is no plain read, that is neither a loopback name nor the host of `publicUrl`, nor an allowed origin.
 */
export function answerLocallyOnly(app: App, publicUrl: () => string, corsOrigins: readonly string[]): void {
  app.addHook('onRequest', async (request) => {
    const { host, origin } = request.headers;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const own = new URL(publicUrl()).hostname;
    const isOurs = (name: string | null) => name !== null && (name === own || isLoopbackName(name));
    if (!isOurs(hostnameOf(`http://${host ?? ''}`)))
      throw new StorageError('FORBIDDEN', 'In development the service answers to localhost only.');
    if (!isRead && origin !== undefined && !corsOrigins.includes(origin) && !isOurs(hostnameOf(origin)))
      throw new StorageError('FORBIDDEN', 'In development only pages of this machine may ask.');
  });
}

/** `localhost`, 127.0.0.0/8 or `[::1]`, as a URL spells them. */
export function isLoopbackName(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

function hostnameOf(url: string): string | null {
  return URL.parse(url)?.hostname || null;
}
