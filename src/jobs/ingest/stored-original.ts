import { listVariants } from '../../db/variants.ts';
import { readProven } from '../../services/storage/proven.ts';
import type { Step } from '../steps.ts';
import { hash12Of, type IngestWork, need } from './work.ts';

/** Decodes the sanitised original again: after a restart, or once a moderator has approved it. */
export const openStoredOriginal: Step<IngestWork> = {
  stage: 'derive',
  async run(work) {
    const variants = await listVariants(work.deps.db, [work.file.id]);
    const original = need(variants.find((variant) => variant.name === 'original') ?? null, 'original');
    const { bytes } = await readProven(work.deps.storage, original, work.signal);
    work.hash12 = hash12Of(work.deps, work.file, 'stored original');
    work.image = await work.deps.images.open(bytes, { kind: work.file.kind, signal: work.signal });
    return 'go on';
  },
};
