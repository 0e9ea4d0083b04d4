import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lchown,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { type PostgresBinaries, program } from './binaries.ts';
import { ifThere, unavailable } from './failures.ts';
import { run } from './run.ts';
import { obstacleOnTheWay, type ServerUser } from './server-user.ts';

const INIT_LIMIT_MS = 120_000;
const PASSWORD_FILE = 'localex-password';

export interface DataFolder {
  /** Real path of the cluster's data: `<home>/<major version>`. */
  readonly folder: string;
  /** Of both roles; asked for over TCP only. */
  readonly password: string;
  /** The server's own messages since its last start. */
  readonly logFile: string;
}

export interface DataFolderRequest {
  /** `postgres/` of the installation, as a real path, locked by this process. */
  readonly home: string;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
  readonly fsync: boolean;
  readonly log: (message: string, details?: object) => void;
}

/**
 * Makes sure of a whole data folder of this major version that the server's user owns. A new one appears
 * by a rename, so it is there entirely or not at all.
 *
 * @throws StorageError DATABASE_UNAVAILABLE, also when the data is of another major version
 */
export async function prepareDataFolder(request: DataFolderRequest): Promise<DataFolder> {
  const { home, binaries, user } = request;
  const folder = path.join(home, binaries.major);
  // The server's user passes through by name, and can list nothing here.
  if (user !== undefined) await chmod(home, 0o711);
  await removeHalfMade(home);
  if ((await ifThere(stat(folder))) === undefined) {
    await refuseOtherMajor(home, binaries.major);
    await initialise(folder, request);
  }
  await refuseUnlike(folder, binaries.major);
  if (user !== undefined) await giveTo(user, folder);
  await chmod(folder, 0o700);
  const password = (await readFile(path.join(folder, PASSWORD_FILE), 'utf8')).trim();
  return { folder, password, logFile: path.join(home, 'server.log') };
}

/**
 * How to tell PostgreSQL its data folder, started with that folder as its working directory. When the
 * server's user may not enter some folder above it, the way by name is closed, but the kernel's link to
 * the working directory is open: nobody has to widen the rights of a home folder.
 *
 * @throws StorageError DATABASE_UNAVAILABLE where there is no such link (outside Linux)
 */
export async function dataFolderArgument(folder: string, user: ServerUser | undefined): Promise<string> {
  const obstacle = await obstacleOnTheWay(folder, user);
  if (obstacle === undefined) return folder;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw unavailable(
    `PostgreSQL does not run as root, and the user it runs as cannot enter ${obstacle}. ` +
      `Set DATA_DIR to another folder, allow it with "chmod o+x ${obstacle}", or start as another user.`,
  );
}

/** What an initialisation left behind whose process was killed. */
async function removeHalfMade(home: string): Promise<void> {
  const halves = (await readdir(home)).filter((name) => name.startsWith('init-'));
  await Promise.all(
    halves.map((name) => rm(path.join(home, name), { recursive: true, force: true, maxRetries: 10 })),
  );
}

async function refuseOtherMajor(home: string, major: string): Promise<void> {
  const others = (await readdir(home)).filter((name) => /^\d+$/.test(name) && name !== major);
  const other = others.toSorted((a, b) => Number(b) - Number(a))[0];
  if (other !== undefined) throw otherMajor(path.join(home, other), other, major);
}

async function refuseUnlike(folder: string, major: string): Promise<void> {
  let found: string | undefined;
  try {
    found = (await ifThere(readFile(path.join(folder, 'PG_VERSION'), 'utf8')))?.trim();
  } catch (error) {
    const { uid } = await stat(folder);
    throw unavailable(
      `The database in ${folder} belongs to user ${uid} and cannot be read. Start as that user or as root.`,
      { folder },
      error,
    );
  }
  if (found === undefined) {
    throw unavailable(`${folder} is not a database of PostgreSQL: it has no PG_VERSION. Move it away.`);
  }
  if (found !== major) throw otherMajor(folder, found, major);
}

function otherMajor(folder: string, found: string, major: string): Error {
  return unavailable(
    `The database in ${folder} was made by PostgreSQL ${found}, and this version brings PostgreSQL ${major}, ` +
      `which cannot read it. Dump it with PostgreSQL ${found} and load it into a new DATA_DIR.`,
    { folder, found, major },
  );
}

async function initialise(
  folder: string,
  { home, binaries, user, fsync, log }: DataFolderRequest,
): Promise<void> {
  const half = path.join(home, `init-${randomBytes(6).toString('hex')}`);
  const passwordFile = `${half}.password`;
  const started = performance.now();
  try {
    await mkdir(half, { mode: 0o700 });
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (user !== undefined) {
      await giveTo(user, half);
      await chown(passwordFile, user.uid, user.gid);
    }
    await run(program(binaries, 'initdb'), initArguments(await dataFolderArgument(half, user), half, fsync), {
      cwd: half,
      user,
      limit: INIT_LIMIT_MS,
      failure: 'The database could not be created.',
    });
    await rename(passwordFile, path.join(half, PASSWORD_FILE));
    await rename(half, folder);
    if (fsync) await syncFolder(home);
    log('database created', { folder, milliseconds: Math.round(performance.now() - started) });
  } finally {
    await Promise.all(
      [half, passwordFile].map((left) => rm(left, { recursive: true, force: true, maxRetries: 10 })),
    );
  }
}

function initArguments(data: string, half: string, fsync: boolean): string[] {
  const password = `--pwfile=../${path.basename(half)}.password`;
  // The folder of the socket is closed to other users; a port is open to all of them.
  const access = ['--username=postgres', password, '--auth-local=trust', '--auth-host=scram-sha-256'];
  // The same order and case rules on every machine, whatever its C library.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const sync = fsync ? [] : ['--no-sync'];
  return ['-D', data, ...access, ...locale, '--wal-segsize=4', '--no-instructions', ...sync];
}

/** A data folder copied back from a backup by root belongs to root. */
async function giveTo(user: ServerUser, folder: string): Promise<void> {
  if ((await stat(folder)).uid === user.uid) return;
  try {
    for (const entry of await readdir(folder, { recursive: true })) {
      await lchown(path.join(folder, entry), user.uid, user.gid);
    }
    // Last: a run that is cut off before it starts again.
    await chown(folder, user.uid, user.gid);
  } catch (error) {
    throw unavailable(
      `PostgreSQL does not run as root, and ${folder} cannot be given to user ${user.uid}. ` +
        'Start as another user, or set DATABASE_URL.',
      { folder },
      error,
    );
  }
}

/** Makes the rename outlast a power cut. Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
