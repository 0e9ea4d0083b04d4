import { setTimeout as sleep } from 'node:timers/promises';
import { chooseEndpoint } from './endpoint.ts';
import { unavailable } from './failures.ts';
import {
  type Launch,
  launchPostmaster,
  ORPHANS_AT_WORK,
  START_LIMIT_MS,
  stopPostmaster,
} from './postmaster.ts';
import { prepareDatabase } from './prepare-database.ts';
import { signalAllIn } from './processes.ts';
import { writeSettings } from './settings.ts';
import { findSurvivor, type Postmaster } from './survivor.ts';

/** A survivor that says it is ready and does not answer for so long is replaced. */
const ANSWER_LIMIT_MS = 10_000;
/** How long the other processes of a killed postmaster may take to notice and end. */
const RETRY_LIMIT_MS = 60_000;
const RETRY_PAUSE_MS = 100;
/** Attempts before orphaned processes are told to end, and again as many before they are killed. */
const PATIENT_ATTEMPTS = 5;

export interface OwnedLaunch extends Launch {
  readonly fsync: boolean;
  readonly log: (message: string, details?: object) => void;
}

/**
 * The server of that data folder, answering: the one that runs already, or a new one.
 *
 * Looks for a survivor before every attempt: a server whose owner was killed while spawning it may appear
 * at any moment, and PostgreSQL refuses to start while the processes of a killed postmaster still end.
 *
 * @throws StorageError DATABASE_UNAVAILABLE, with the end of the server's log in the details
 */
export async function adoptOrLaunch(
  launch: OwnedLaunch,
): Promise<{ postmaster: Postmaster; adopted: boolean }> {
  const { data, user, fsync, log } = launch;
  const deadline = performance.now() + RETRY_LIMIT_MS;
  for (let attempt = 1; ; attempt++) {
    const survivor = await adoptSurvivor(launch);
    if (survivor !== undefined) return { postmaster: survivor, adopted: true };

    const endpoint = await chooseEndpoint(data.folder, user);
    await writeSettings(data.folder, endpoint, { fsync });
    const outcome = await launchPostmaster(launch, endpoint);
    if (outcome.ready) {
      await prepareOrStop(outcome.postmaster, launch);
      return { postmaster: outcome.postmaster, adopted: false };
    }
    const { output } = outcome;
    if (!outcome.retryable || performance.now() > deadline) {
      throw unavailable(`The embedded PostgreSQL did not start; its log is ${data.logFile}.`, { output });
    }
    log('the embedded PostgreSQL cannot start yet', { output });
    await sleep(RETRY_PAUSE_MS);
    // Most notice by themselves that their postmaster is gone.
    if (attempt >= PATIENT_ATTEMPTS && output.includes(ORPHANS_AT_WORK)) {
      await signalAllIn(data.folder, attempt < 2 * PATIENT_ATTEMPTS ? 'SIGQUIT' : 'SIGKILL');
    }
  }
}

/** Waits for a survivor that recovers or stops; one that cannot be talked to is stopped. */
async function adoptSurvivor(launch: OwnedLaunch): Promise<Postmaster | undefined> {
  const { data, log } = launch;
  let deadline = performance.now() + START_LIMIT_MS;
  for (let answered: unknown; ; ) {
    const survivor = await findSurvivor(data.folder, log);
    if (survivor === undefined) return undefined;
    if (survivor.ready) {
      try {
        await prepareDatabase(survivor, data);
        return survivor;
      } catch (error) {
        answered = error;
        deadline = Math.min(deadline, performance.now() + ANSWER_LIMIT_MS);
      }
    }
    if (performance.now() > deadline) {
      log('a surviving PostgreSQL does not answer and is stopped', { pid: survivor.pid, answered });
      await stopPostmaster(survivor.pid, launch);
      return undefined;
    }
    await sleep(20);
  }
}

async function prepareOrStop(postmaster: Postmaster, launch: OwnedLaunch): Promise<void> {
  try {
    await prepareDatabase(postmaster, launch.data);
  } catch (error) {
    await stopPostmaster(postmaster.pid, launch);
    throw error;
  }
}
