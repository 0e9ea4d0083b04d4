import { StorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import { mediaTypeOf, type PlannedVariant } from '../../domain/renditions.ts';
import type { EncodedVariant } from '../../ports/image-engine.ts';
import { type IngestWork, need, planOf } from './work.ts';

/** Encodes one object; one whose re-read shows anything but pixels is never stored. */
export async function encodeClean(work: IngestWork, plan: PlannedVariant): Promise<EncodedVariant> {
  const variant = await need(work.image, 'image').encode(plan, work.signal);
  if (!variant.report.clean)
    throw new StorageError('PROCESSING_FAILED', 'A rendition was not clean, so it was not published.', {
      details: { findings: variant.report.findings, name: plan.name, format: plan.format },
    });
  return variant;
}

/** The sanitised original; one encoding, however often it is asked for. One that failed is made anew when asked again. */
export function originalOf(work: IngestWork): Promise<EncodedVariant> {
  const [plan] = planOf(work);
  work.original ??= encodeClean(work, need(plan ?? null, 'original')).catch((error: unknown) => {
    work.original = null;
    throw error;
  });
  return work.original;
}

/** Access and caching follow from the key: `StorageService` knows both. */
export async function putVariant(work: IngestWork, key: ObjectKey, variant: EncodedVariant): Promise<void> {
  await work.deps.storage.uploadFile(variant.data, {
    key,
    contentType: mediaTypeOf(variant.format),
    signal: work.signal,
  });
}
