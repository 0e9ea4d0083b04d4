import { assertMayAdminister, type Principal } from '../../domain/access.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import type { ServiceDeps } from '../deps.ts';
import { inLanes } from '../in-lanes.ts';
import type { Decision, Outcome } from './contracts.ts';
import { decide } from './decide.ts';
import type { DecideDeps } from './note.ts';

/** Each copies objects; more at once would wait for each other. */
const AT_ONCE = 3;

/** Decides each photo by itself: one that cannot be decided holds up no other, and its outcome says why. */
export async function decideMany(
  deps: DecideDeps & Pick<ServiceDeps, 'log'>,
  who: Principal,
  ids: readonly FileId[],
  decision: Decision,
): Promise<readonly Outcome[]> {
  assertMayAdminister(who, 'read_review');
  const wanted = [...new Set(ids)];
  const outcomes = new Map<string, Outcome>();
  await inLanes(wanted, AT_ONCE, async (id) => {
    outcomes.set(id, await decideOne(deps, who, id, decision));
  });
  return wanted.flatMap((id) => outcomes.get(id) ?? []);
}

async function decideOne(
  deps: DecideDeps & Pick<ServiceDeps, 'log'>,
  who: Principal,
  id: FileId,
  decision: Decision,
): Promise<Outcome> {
  try {
    return { id, ok: true, state: (await decide(deps, who, id, decision)).state };
  } catch (error) {
    if (isStorageError(error)) return { id, ok: false, code: error.code, detail: error.message };
    deps.log.error({ err: error, fileId: id }, 'one of many decisions failed');
    return { id, ok: false, code: 'INTERNAL', detail: 'Something went wrong on our side.' };
  }
}
