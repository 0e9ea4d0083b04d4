import type { Reason } from '../../services/removal.ts';
import type { StepResult } from '../steps.ts';
import { decode, inspect } from './check.ts';
import { holdForReview } from './quarantine.ts';
import type { IngestWork } from './work.ts';

/**
 * Scanner or moderator are down for good: the photo goes to a person, with a sanitised view. Our own re-encoding is
 * what the person sees and what would be published, never the uploaded bytes.
 */
export async function holdUnchecked(work: IngestWork, reason: Reason): Promise<StepResult> {
  if (work.bytes === null) await inspect.run(work);
  await work.original?.catch(() => undefined);
  // The process that held the pixels may have ended with them.
  if (work.original === null) await work.image?.close();
  if (work.image === null || work.original === null) await decode.run(work);
  const result = await holdForReview(work, reason);
  work.deps.log.warn(
    { fileId: work.file.id, code: reason.code },
    'a photo waits for review because a check was down',
  );
  return result;
}
