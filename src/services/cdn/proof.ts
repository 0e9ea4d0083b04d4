import { listProbes } from '../../db/cdn-probes.ts';
import type { Db } from '../../db/schema.ts';
import type { ProbeAnswer, ProbeState } from '../../domain/probe.ts';

/** What shows whether the public URLs that a file had are gone. */
export interface RemovalProof {
  readonly state: ProbeState;
  readonly answers: readonly ProbeAnswer[];
  readonly probedAt: string | null;
}

/** Of each time that something of the file was withdrawn, newest first. */
export async function proofsOfRemoval(db: Db, fileId: string): Promise<readonly RemovalProof[]> {
  const probes = await listProbes(db, fileId);
  return probes.map(({ state, answers, probed_at }) => ({
    state,
    answers,
    probedAt: probed_at?.toISOString() ?? null,
  }));
}
