import { createServer } from 'node:net';
import { StorageError } from '../domain/errors.ts';

/**
 * The port to listen on: that one, or a free one for 0 (URLs are needed before the service listens). Looked at before
 * anything is built, so that a port that is taken costs no database.
 * @throws StorageError INVALID_CONFIGURATION when nobody can listen there.
 */
export async function findPort(host: string, port: number): Promise<number> {
  const probe = createServer();
  await naming(host, port, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    probe.once('error', reject);
    probe.listen(port, host, resolve);
    return promise;
  });
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return address !== null && typeof address === 'object' ? address.port : port;
}

/** Runs what listens; what keeps it from listening is named by its setting. */
export async function naming<T>(host: string, port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = REASONS[code]?.(host, port);
    if (message === undefined) throw error;
    throw new StorageError('INVALID_CONFIGURATION', message, { cause: error });
  }
}

const noAddress = (host: string) => `HOST ${host} is no address of this machine; set HOST to one that is.`;

const REASONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `PORT ${port} on ${host} is in use; set PORT to another.`,
  EACCES: (host, port) => `PORT ${port} on ${host} is not allowed to this user; set PORT to one above 1023.`,
  EADDRNOTAVAIL: noAddress,
  ENOTFOUND: noAddress,
};
