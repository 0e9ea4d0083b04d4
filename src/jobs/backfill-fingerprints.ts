import { setTimeout as pause } from 'node:timers/promises';
import {
  endBackfill,
  isAtWork,
  listUnprinted,
  listUnprintedBans,
  moveBackfill,
} from '../db/fingerprint-backfill.ts';
import type { FileRow } from '../db/schema.ts';
import { type LateDeps, printLate } from './print-late.ts';

/** A turn is short: nobody waits long for the process to end. */
const TURN_MS = 4_000;
/** An upload that arrives while a photo is at hand waits for it, a fifth of a second. */
const AT_ONCE = 2;
const LOOK_MS = 100;
const PAGE = 100;

/**
 * Makes fingerprints late: first those that bans wait for, whatever else there is to do. Then those of public photos from
 * before there were any, oldest first, from their stored renditions, while no upload is at work: what is uploaded later finds
 * them, and they find what was uploaded meanwhile; they are not compared with each other. Goes on where it was left; once over
 * it does nothing. Returns how many photos got one.
 */
export async function backfillFingerprints(deps: LateDeps): Promise<number> {
  const deadline = Date.now() + TURN_MS;
  let printed = await printAll(deps, await listUnprintedBans(deps.db, PAGE));
  while (Date.now() < deadline) {
    if (await isAtWork(deps.db)) {
      await pause(LOOK_MS);
      continue;
    }
    const files = await listUnprinted(deps.db, AT_ONCE);
    if (files === null) break;
    const last = files.at(-1);
    if (last === undefined) {
      await endBackfill(deps.db);
      break;
    }
    printed += await printAll(deps, files);
    await moveBackfill(deps.db, last.id);
  }
  return printed;
}

async function printAll(deps: LateDeps, files: readonly FileRow[]): Promise<number> {
  let printed = 0;
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const made = await Promise.all(files.slice(at, at + AT_ONCE).map((file) => printLate(deps, file)));
    printed += made.filter((isMade) => isMade).length;
  }
  return printed;
}
