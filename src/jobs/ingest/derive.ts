import { StorageError } from '../../domain/errors.ts';
import { fileId, userId } from '../../domain/ids.ts';
import { objectKey, profileAlias, quarantineRawKey } from '../../domain/keys.ts';
import { lockFile, transition } from '../../db/files.ts';
import { jsonText } from '../../db/json.ts';
import { condemnObjects, condemnTemporary, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import { askForText } from '../../db/text-reads.ts';
import { insertVariants } from '../../db/variants.ts';
import { keyOf } from '../../services/publication.ts';
import type { Step } from '../steps.ts';
import { adviseOn } from './coach.ts';
import { encodeClean, putVariant } from './store.ts';
import { announce, type IngestWork, planOf } from './work.ts';

/** 1200, 800 and 300 px in each format, from the pixels that are held. */
export const derive: Step<IngestWork> = {
  stage: 'derive',
  async run(work) {
    const plan = planOf(work).filter((variant) => variant.name !== 'original');
    await announce(
      work,
      plan.map((variant) => keyOf(work.file, work.hash12, variant)),
    );
    for (const planned of plan) {
      const { data, ...variant } = await encodeClean(work, planned);
      const key = keyOf(work.file, work.hash12, planned);
      await putVariant(work, key, { ...variant, data });
      work.made.push({ key, bytes: data.length, variant });
    }
    work.advice = await adviseOn(work);
    return 'go on';
  },
};

/** Every object of the set is in the store, whole. */
export const verify: Step<IngestWork> = {
  stage: 'verify',
  async run(work) {
    for (const { key, bytes } of work.made) {
      const info = await work.deps.storage.fileInfo(objectKey(key));
      if (info.bytes !== bytes)
        throw new StorageError('STORAGE_UNAVAILABLE', undefined, {
          details: { key, expected: bytes, found: info.bytes },
        });
    }
    return 'go on';
  },
};

/** published → ready: the renditions get their rows, the uploaded bytes go. */
export const finish: Step<IngestWork> = {
  stage: 'finish',
  async run(work) {
    const { deps, file } = work;
    const id = fileId(file.id);
    const keys = work.made.map((object) => object.key);
    const ready = await deps.db.transaction().execute(async (trx) => {
      await lockFile(trx, file.id);
      const row = await transition(
        trx,
        { id: file.id, from: 'published', generation: file.generation },
        'ready',
        {
          stage: null,
          deadline_at: null,
          finished_at: deps.clock.now(),
          hints: work.advice === null ? null : jsonText(work.advice.hints),
          cover_score: work.advice?.score ?? null,
        },
      );
      if (row === null) return null;
      await insertVariants(trx, file.id, work.made);
      await settleObjects(trx, keys);
      if (deps.textReader !== null) await askForText(trx, file.id, file.generation);
      const condemned = [
        ...(await condemnTemporary(trx, id)),
        ...(await condemnObjects(trx, [quarantineRawKey(id)])),
      ];
      const paths = file.kind === 'profile_photo' ? [profileAlias(userId(file.owner_id))] : [];
      await addToOutbox(trx, 'delete-objects', { fileId: file.id, keys: condemned, paths });
      return row;
    });
    if (ready === null) return 'late';
    work.file = ready;
    return 'stop';
  },
};
