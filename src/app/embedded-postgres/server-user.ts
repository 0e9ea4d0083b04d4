import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ifThere, unavailable } from './failures.ts';

/** In the order of preference. The last exists on every Unix. */
const NAMES = ['postgres', '_postgres', 'nobody'];

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user to run the server as: undefined means this process's own. PostgreSQL refuses to run as root, so
 * root gives way to the user who owns the data folder already, or else to `postgres` or `nobody`.
 *
 * @throws StorageError DATABASE_UNAVAILABLE when root has nobody to give way to
 */
export async function chooseServerUser(dataFolder: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await ownerOf(dataFolder)) ?? (await userByName());
}

/** Stays with the first choice when a `postgres` user is added to the machine later. */
async function ownerOf(dataFolder: string): Promise<ServerUser | undefined> {
  const owner = await ifThere(stat(dataFolder));
  return owner === undefined || owner.uid === 0 ? undefined : { uid: owner.uid, gid: owner.gid };
}

async function userByName(): Promise<ServerUser> {
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of NAMES) {
    const [, , uid, gid] = accounts.find((account) => account[0] === name) ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw unavailable(
    'PostgreSQL does not run as root, and there is no user postgres or nobody to run it as. ' +
      'Start as another user, or set DATABASE_URL.',
  );
}

/**
 * The nearest folder above `target` that the user may not pass through; undefined when the way is free
 * (always, for this process's own user). Looks at mode bits, not at access control lists.
 */
export async function obstacleOnTheWay(
  target: string,
  user: ServerUser | undefined,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    if (!(await mayPass(folder, user))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

async function mayPass(folder: string, user: ServerUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
