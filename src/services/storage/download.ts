import type { ObjectKey } from '../../domain/keys.ts';
import type { Retry } from './calls.ts';
import type { ReadFrom } from './fail-over.ts';
import { resumingBody } from './resuming-body.ts';
import type { DownloadedFile, DownloadOptions } from './types.ts';

/**
 * Opens a file, at the replica when the primary does not answer. A body that breaks is taken up again at its place
 * in the same store, pinned to the same content by its etag.
 */
export async function downloadFrom(
  readFrom: ReadFrom,
  key: ObjectKey,
  options: DownloadOptions,
  { retry, maxResumptions }: { retry: Retry; maxResumptions: number },
): Promise<DownloadedFile> {
  const { value, from, servedBy } = await readFrom(key, retry, (store) => store.get(key, options));
  const { info } = value;
  const start = options.range?.start ?? 0;
  const end = Math.min(info.bytes - 1, options.range?.end ?? info.bytes - 1);
  let resumptions = 0;
  const body = resumingBody(value.body, async ({ received, error }) => {
    resumptions += 1;
    if (resumptions > maxResumptions || start + received > end) throw error;
    const rest = { ...options, range: { start: start + received, end }, ifMatch: info.etag };
    const reopened = await retry(() => from.get(key, rest));
    return reopened.body;
  });
  return { info, body, servedBy };
}
