import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from './failures.ts';

/** True while the process exists and runs; one that ended and was not yet reaped by its parent does not count. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): "pid (command) state …"; the command may hold any character.
  const state = stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
  return state !== '' && !'ZX'.includes(state);
}

/**
 * Whether the process is a PostgreSQL server at work in that folder. Every process of a server has the
 * data folder as its working directory, and the kernel says so: a process id that was given to another
 * program is told apart. Where there is no /proc, being alive has to do, and the caller must connect.
 */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (pid === process.pid || !(await isAlive(pid))) return false;
  if (process.platform !== 'linux') return true;
  try {
    const [cwd, executable] = await Promise.all([readlink(`/proc/${pid}/cwd`), readlink(`/proc/${pid}/exe`)]);
    return cwd === folder && path.basename(executable).startsWith('postgres');
  } catch {
    return false;
  }
}

/** Sends the signal to every PostgreSQL process that works in the folder; there must be no server on it. Needs /proc. */
export async function signalAllIn(folder: string, signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  if (process.platform !== 'linux') return;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    if (!(await worksIn(pid, folder))) continue;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (systemCode(error) !== 'ESRCH') throw error;
    }
  }
}

/** Resolves true once the condition holds, false when it did not within the time (milliseconds). */
export async function waitUntil(condition: () => Promise<boolean>, limit: number): Promise<boolean> {
  const deadline = performance.now() + limit;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    if (await condition()) return true;
    if (performance.now() > deadline) return false;
    await sleep(pause);
  }
}
