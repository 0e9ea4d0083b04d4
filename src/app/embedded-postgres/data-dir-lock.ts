import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { StorageError } from '#src/domain/errors.ts';
import { unavailable } from './failures.ts';
import { isAlive } from './processes.ts';

const SQLITE_BUSY = 5;
/** The kernel frees the memory of a killed process before its locks: a dead owner may hold on for a moment. */
const DEAD_OWNER_LIMIT_MS = 5000;
/** An owner that has just taken the lock writes its name a moment later. */
const NAMELESS_LIMIT_MS = 1000;

export interface DataDirLock {
  release(): void;
}

/** Keeps the held locks reachable: a database that is garbage collected is closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/**
 * Takes the exclusive lock on the folder, for this process alone, until `release()` or its end.
 *
 * Node has no file locks of its own, SQLite has: an exclusive transaction on an empty database is a lock
 * of the operating system (fcntl, LockFileEx). It ends with the process, also by kill -9, so that a lock
 * is never stale and no process id has to be trusted; it also holds between two calls in one process and
 * between containers that share the folder.
 *
 * @throws StorageError DATA_DIR_IN_USE
 */
export async function lockDataDir(home: string): Promise<DataDirLock> {
  const began = performance.now();
  for (;;) {
    const database = tryLock(path.join(home, 'owner.lock'));
    if (database !== undefined) {
      held.add(database);
      await nameOwner(home, database);
      return { release: () => release(database) };
    }
    const pid = await ownerOf(home);
    const limit = pid === undefined ? NAMELESS_LIMIT_MS : (await isAlive(pid)) ? 0 : DEAD_OWNER_LIMIT_MS;
    if (performance.now() - began >= limit) throw inUse(home, pid);
    await sleep(20);
  }
}

function tryLock(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw notWritable(file, error);
  }
}

async function nameOwner(home: string, database: DatabaseSync): Promise<void> {
  const file = ownerFile(home);
  try {
    await writeFile(file, JSON.stringify({ pid: process.pid }));
  } catch (error) {
    release(database);
    throw notWritable(file, error);
  }
}

function notWritable(file: string, cause: unknown): StorageError {
  const message = `The data folder cannot be locked: this user cannot write to ${file}.`;
  return unavailable(message, { file }, cause);
}

function release(database: DatabaseSync): void {
  if (held.delete(database)) database.close();
}

const Owner = z.object({ pid: z.int().positive() });
const ownerFile = (home: string): string => path.join(home, 'owner.json');

/** Whom to name in the message. It decides nothing: the lock does. */
async function ownerOf(home: string): Promise<number | undefined> {
  try {
    return Owner.parse(JSON.parse(await readFile(ownerFile(home), 'utf8'))).pid;
  } catch {
    return undefined;
  }
}

function inUse(home: string, pid: number | undefined): StorageError {
  const dataDir = path.dirname(home);
  const owner = pid === undefined ? 'another process' : `process ${pid}`;
  return new StorageError(
    'DATA_DIR_IN_USE',
    `The data folder ${dataDir} is in use by ${owner}. Stop it, or set DATA_DIR to another folder.`,
    { details: { dataDir, pid } },
  );
}
