import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { StorageError } from '#src/domain/errors.ts';
import { adoptOrLaunch } from './adopt-or-launch.ts';
import { locateBinaries, makeRunnable } from './binaries.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { prepareDataFolder } from './data-folder.ts';
import { type ConnectionDetails, connectionTo, removeShortFolder } from './endpoint.ts';
import { unavailable } from './failures.ts';
import { stopPostmaster } from './postmaster.ts';
import { administrate } from './prepare-database.ts';
import { chooseServerUser } from './server-user.ts';

export type EmbeddedPostgresLog = (message: string, details?: object) => void;

export interface EmbeddedPostgresOptions {
  /** The folder of the installation; everything of PostgreSQL lies in `postgres/` in it. Created when missing. */
  readonly dataDir: string;
  readonly log?: EmbeddedPostgresLog;
  /** False only where losing the data in a power cut does not matter (tests). Default true. */
  readonly fsync?: boolean;
}

export interface EmbeddedPostgres {
  /** What the Pool of `pg` takes. The role owns its database, may create others, and is no superuser. */
  readonly connection: ConnectionDetails;
  /** True when the server had outlived an earlier owner and was taken over as it ran. */
  readonly adopted: boolean;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** Runs statements as a superuser in the application's database: what its own role may not do. */
  administrate(statements: readonly string[]): Promise<void>;
  /** Fast shutdown (open transactions are rolled back), at most 15 s; then the data folder is free for another process. */
  close(): Promise<void>;
}

/**
 * Starts the PostgreSQL server that comes with the package, or adopts the one that a killed owner left
 * behind, and resolves once it answers queries.
 *
 * Whatever was killed before (the owner, the postmaster, an initialisation half way), the next start
 * succeeds and committed data is there. One process owns a data folder at a time; the ownership ends with
 * the process, however it ends.
 *
 * @throws StorageError DATA_DIR_IN_USE when another process owns the folder (named with its process id);
 *   DATABASE_UNAVAILABLE when the server cannot run here, with the reason and what to do about it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const home = await makeHome(options.dataDir);
  const lock = await lockDataDir(home);
  try {
    const server = await startOwned(home, { fsync: options.fsync ?? true, log: options.log ?? (() => {}) });
    return closingOnce(server, () => lock.release());
  } catch (error) {
    lock.release();
    throw error instanceof StorageError
      ? error
      : unavailable('The embedded PostgreSQL could not start.', { dataDir: options.dataDir }, error);
  }
}

async function makeHome(dataDir: string): Promise<string> {
  const home = path.join(path.resolve(dataDir), 'postgres');
  try {
    await mkdir(home, { recursive: true });
    return await realpath(home);
  } catch (error) {
    throw unavailable(`The data folder ${dataDir} cannot be written to.`, { home }, error);
  }
}

interface Settled {
  readonly fsync: boolean;
  readonly log: EmbeddedPostgresLog;
}

interface RunningServer {
  readonly connection: ConnectionDetails;
  readonly adopted: boolean;
  readonly pid: number;
  administrate(statements: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

async function startOwned(home: string, { fsync, log }: Settled): Promise<RunningServer> {
  const started = performance.now();
  const installed = await locateBinaries();
  const user = await chooseServerUser(path.join(home, installed.major));
  const binaries = await makeRunnable(installed, user);
  const data = await prepareDataFolder({ home, binaries, user, fsync, log });
  const launch = { data, binaries, user, fsync, log };
  const { postmaster, adopted } = await adoptOrLaunch(launch);
  log(adopted ? 'embedded PostgreSQL adopted' : 'embedded PostgreSQL started', {
    pid: postmaster.pid,
    milliseconds: Math.round(performance.now() - started),
  });
  return {
    connection: connectionTo(postmaster.endpoint, data.password),
    adopted,
    pid: postmaster.pid,
    administrate: (statements) => administrate(postmaster, data, statements),
    stop: async () => {
      await stopPostmaster(postmaster.pid, launch);
      await removeShortFolder(postmaster.endpoint, data.folder);
    },
  };
}

function closingOnce(server: RunningServer, release: () => void): EmbeddedPostgres {
  let closing: Promise<void> | undefined;
  return {
    connection: server.connection,
    adopted: server.adopted,
    pid: server.pid,
    administrate: (statements) => server.administrate(statements),
    close: () => (closing ??= server.stop().finally(release)),
  };
}
