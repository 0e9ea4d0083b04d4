import { settleObjects } from '../../db/objects.ts';
import { lockFileAndItem } from '../../db/files.ts';
import { findItem } from '../../db/items.ts';
import { addToOutbox } from '../../db/outbox.ts';
import { insertVariants } from '../../db/variants.ts';
import { keyOf, publish } from '../../services/publication.ts';
import type { Step } from '../steps.ts';
import { originalOf, putVariant } from './store.ts';
import { announce, type IngestWork } from './work.ts';

/** The sanitised original becomes public: from here on the uploader has a URL. */
export const publishOriginal: Step<IngestWork> = {
  stage: 'publish',
  async run(work) {
    const { deps, file } = work;
    const original = await originalOf(work);
    const key = keyOf(file, work.hash12, original);
    await announce(work, [key]);
    await putVariant(work, key, original);
    const published = await deps.db.transaction().execute(async (trx) => {
      await lockFileAndItem(trx, file.id);
      const row = await publish(
        trx,
        { id: file.id, from: 'checking', generation: file.generation },
        { hash12: work.hash12 },
      );
      if (row === null) return null;
      await insertVariants(trx, file.id, [{ key, variant: original, bytes: original.data.length }]);
      await settleObjects(trx, [key]);
      const item = row.item_id === null ? null : await findItem(trx, row.item_id);
      if (item !== null && item.category !== work.category)
        await addToOutbox(trx, 'rejudge', { fileId: file.id });
      return row;
    });
    if (published === null) return 'late';
    work.file = published;
    return 'go on';
  },
};
