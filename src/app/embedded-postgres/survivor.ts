import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Endpoint, socketFiles } from './endpoint.ts';
import { ifThere, systemCode } from './failures.ts';
import { worksIn } from './processes.ts';

/** PostgreSQL writes its pid file in one go: one that is still not whole after this time never will be. */
const BEING_WRITTEN_MS = 1000;

/** A running server: its main process, and where it listens. */
export interface Postmaster {
  readonly pid: number;
  readonly endpoint: Endpoint;
}

/** What the pid file tells. */
export interface PidFile extends Postmaster {
  /** False while it starts, recovers or stops. */
  readonly ready: boolean;
}

/**
 * The server that runs on that data folder, if any. What a dead one left in the way of the next start is
 * cleared: PostgreSQL trusts a pid file whose number another program has by now, and would not start.
 */
export async function findSurvivor(
  dataFolder: string,
  log: (message: string, details?: object) => void,
): Promise<PidFile | undefined> {
  const found = await readPidFile(dataFolder);
  if (found === undefined || found === 'unreadable') {
    if (found === undefined || !(await isOld(pidFile(dataFolder)))) return undefined;
    log('an unreadable postmaster.pid is removed', { dataFolder });
    await rm(pidFile(dataFolder), { force: true });
    return undefined;
  }
  if (await worksIn(found.pid, dataFolder)) return found;
  if (exists(found.pid)) {
    log('a postmaster.pid that names another program is removed', { dataFolder, pid: found.pid });
    await rm(pidFile(dataFolder), { force: true });
  }
  return undefined;
}

/** Removes the socket, and its lock file, of a server that is no more. */
export async function clearSocket(endpoint: Endpoint): Promise<void> {
  await Promise.all(socketFiles(endpoint).map((file) => rm(file, { force: true })));
}

/** `postmaster.pid` of the data folder; undefined when there is none. */
export async function readPidFile(dataFolder: string): Promise<PidFile | 'unreadable' | undefined> {
  const text = await ifThere(readFile(pidFile(dataFolder), 'utf8'));
  if (text === undefined) return undefined;
  // Lines (miscadmin.h): pid, data folder, start time, port, socket folder, listen address, shared memory, status.
  const [pid = '', , , port = '', socketFolder = '', , , status = ''] = text.split('\n');
  if (!/^-?\d+$/.test(pid) || Number(pid) < 1) return 'unreadable';
  const endpoint: Endpoint =
    socketFolder.trim() === ''
      ? { kind: 'tcp', port: Number(port) }
      : { kind: 'socket', folder: socketFolder.trim(), port: Number(port) };
  return { pid: Number(pid), endpoint, ready: status.trim() === 'ready' };
}

const pidFile = (dataFolder: string): string => path.join(dataFolder, 'postmaster.pid');

async function isOld(file: string): Promise<boolean> {
  const found = await ifThere(stat(file));
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > BEING_WRITTEN_MS;
}

/** Also true for a process of another user and for one not yet reaped: PostgreSQL takes both for alive. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
