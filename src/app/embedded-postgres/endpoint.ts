import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rmdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ifThere, systemCode } from './failures.ts';
import { obstacleOnTheWay, type ServerUser } from './server-user.ts';

/** Names the file of a unix socket; with TCP any free port is taken. */
const SOCKET_PORT = 5432;
/** `sun_path` holds 108 bytes on Linux, 104 on macOS and the BSDs, the last of them NUL (unix(7), unix(4)). */
const SOCKET_PATH_LIMIT = process.platform === 'linux' ? 107 : 103;

/** Where a server listens: a unix socket in a folder that only its user may enter, or a port of 127.0.0.1. */
export type Endpoint =
  | { readonly kind: 'socket'; readonly folder: string; readonly port: number }
  | { readonly kind: 'tcp'; readonly port: number };

export interface ConnectionDetails {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Only over TCP: a unix socket is guarded by its folder. */
  readonly password?: string;
}

/**
 * The data folder itself when the path of the socket fits and the server's user can get there by it; else a
 * short folder of our own among the temporary files; else (and always on Windows) TCP with a password.
 */
export async function chooseEndpoint(dataFolder: string, user: ServerUser | undefined): Promise<Endpoint> {
  if (process.platform !== 'win32') {
    if (fits(dataFolder) && (await obstacleOnTheWay(path.join(dataFolder, 'socket'), user)) === undefined) {
      return { kind: 'socket', folder: dataFolder, port: SOCKET_PORT };
    }
    const short = await shortFolder(dataFolder, user);
    if (short !== undefined) return { kind: 'socket', folder: short, port: SOCKET_PORT };
  }
  return { kind: 'tcp', port: await freePort() };
}

/** How an application connects to a server at that endpoint. */
export function connectionTo(endpoint: Endpoint, password: string): ConnectionDetails {
  const common = { port: endpoint.port, user: 'localex', database: 'localex' };
  return endpoint.kind === 'socket'
    ? { host: endpoint.folder, ...common }
    : { host: '127.0.0.1', ...common, password };
}

/** Takes back the short folder, if one was made and the server has left it empty. */
export async function removeShortFolder(endpoint: Endpoint, dataFolder: string): Promise<void> {
  if (endpoint.kind === 'tcp' || endpoint.folder === dataFolder) return;
  // Not empty or gone already: either way there is nothing to do.
  await rmdir(endpoint.folder).catch(() => {});
}

/** The socket in that folder and the file that PostgreSQL locks it with. */
export function socketFiles(endpoint: Endpoint): string[] {
  if (endpoint.kind === 'tcp') return [];
  const socket = socketPath(endpoint.folder);
  return [socket, `${socket}.lock`];
}

const socketPath = (folder: string): string => path.join(folder, `.s.PGSQL.${SOCKET_PORT}`);
const fits = (folder: string): boolean => Buffer.byteLength(socketPath(folder)) <= SOCKET_PATH_LIMIT;

/** Temporary folders are shared: one that belongs to somebody else is not used, whatever its name. */
async function shortFolder(dataFolder: string, user: ServerUser | undefined): Promise<string | undefined> {
  const hash = createHash('sha256').update(dataFolder).digest('hex').slice(0, 16);
  const folder = path.join(os.tmpdir(), `localex-${hash}`);
  if (!fits(folder)) return undefined;
  try {
    if ((await ifThere(lstat(folder))) === undefined) {
      await mkdir(folder, { mode: 0o700 });
      if (user !== undefined) await chown(folder, user.uid, user.gid);
    }
    if ((await obstacleOnTheWay(folder, user)) !== undefined) return undefined;
    const { uid } = await lstat(folder);
    if (uid !== (user?.uid ?? process.getuid?.())) return undefined;
    await chmod(folder, 0o700);
    return folder;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
