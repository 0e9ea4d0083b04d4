import { isGone, type ProbeAnswer } from '../../domain/probe.ts';
import type { Cdn } from '../../ports/cdn.ts';
import type { Clock } from '../../ports/clock.ts';
import { inLanes } from '../in-lanes.ts';
import { askCdn } from './ask.ts';

const LANES = 4;

/**
 * Asks the CDN for every path as a viewer does. `gone` when each is answered with 403, 404 or 410; the answers are the
 * proof, in the order of the paths.
 */
export async function probeGone(
  deps: { readonly cdn: Pick<Cdn, 'url'>; readonly clock: Clock },
  paths: readonly string[],
): Promise<{ gone: boolean; answers: readonly ProbeAnswer[] }> {
  const answers = new Map<string, ProbeAnswer>();
  await inLanes(paths, LANES, async (path) => {
    const { status, cache, pop } = await askCdn(deps.cdn.url(path), { method: 'HEAD' });
    answers.set(path, { path, status, cache, pop, at: deps.clock.now().toISOString() });
  });
  const inOrder = paths.flatMap((path) => answers.get(path) ?? []);
  return { gone: inOrder.every(isGone), answers: inOrder };
}
