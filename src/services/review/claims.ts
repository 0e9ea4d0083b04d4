import { claimNext, claimThese, findOpenCase, releaseClaims } from '../../db/review-claims.ts';
import { countOpenCases } from '../../db/review-queue.ts';
import { assertMayAdminister, type Principal } from '../../domain/access.ts';
import type { Claim, ClaimRequest } from './contracts.ts';
import { type EntryDeps, entriesOf } from './entries.ts';

/** How long a case stays with a moderator who is not heard of again. */
const CLAIM_SECONDS = 300;

/** Gives a moderator cases that nobody else gets meanwhile: the next ones, or those that are named. */
export async function claim(deps: EntryDeps, who: Principal, wanted: ClaimRequest): Promise<Claim> {
  assertMayAdminister(who, 'read_review');
  return 'ids' in wanted ? claimNamed(deps, who, wanted.ids) : claimHead(deps, who, wanted);
}

/** Gives back all that a moderator has claimed. */
export async function release({ db }: EntryDeps, who: Principal): Promise<void> {
  assertMayAdminister(who, 'read_review');
  await releaseClaims(db, who.userId);
}

async function claimHead(
  deps: EntryDeps,
  who: Principal,
  wanted: Exclude<ClaimRequest, { ids: unknown }>,
): Promise<Claim> {
  const cases = await claimNext(deps.db, {
    moderator: who.userId,
    count: wanted.count,
    seconds: CLAIM_SECONDS,
    source: wanted.source ?? null,
    except: wanted.except ?? [],
  });
  const photos = await entriesOf(deps, who, cases);
  return {
    photos,
    claimed: cases.map((open) => open.file_id),
    missed: [],
    waiting: await countOpenCases(deps.db, who.userId),
    seconds: CLAIM_SECONDS,
  };
}

async function claimNamed(deps: EntryDeps, who: Principal, ids: readonly string[]): Promise<Claim> {
  const request = { moderator: who.userId, fileIds: ids, seconds: CLAIM_SECONDS };
  const claimed = await claimThese(deps.db, request);
  const missed: Claim['missed'][number][] = [];
  for (const id of ids.filter((one) => !claimed.includes(one))) {
    const open = await findOpenCase(deps.db, id, who.userId, false);
    missed.push({ id, code: open?.isTaken ? 'CLAIMED' : 'ALREADY_DECIDED' });
  }
  const waiting = await countOpenCases(deps.db, who.userId);
  return { photos: [], claimed, missed, waiting, seconds: CLAIM_SECONDS };
}
