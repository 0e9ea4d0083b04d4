import { createHash } from 'node:crypto';
import { StorageError } from '../../domain/errors.ts';
import { isAnnounced } from '../../domain/announced-type.ts';
import { jsonText } from '../../db/json.ts';
import { updateFile } from '../../db/files.ts';
import { malwareRefusal, scanBytes } from '../checks.ts';
import { readRaw } from './raw.ts';
import type { Step } from '../steps.ts';
import { originalOf } from './store.ts';
import { type IngestWork, need } from './work.ts';

/** Reads the upload once, pinned to its ETag and hash, and looks at its header. */
export const inspect: Step<IngestWork> = {
  stage: 'inspect',
  async run(work) {
    const { file, deps } = work;
    const bytes = await readRaw(deps, file, work.signal);
    if (createHash('sha256').update(bytes).digest('hex') !== file.upload_sha256)
      throw new StorageError('UPLOAD_MISMATCH', 'The stored bytes are not those that were uploaded.');
    const header = await deps.images.inspect(bytes);
    if (!deps.acceptedFormats.has(header.format))
      throw new StorageError(
        'UNSUPPORTED_TYPE',
        `Photos of type ${header.format.toUpperCase()} are not accepted.`,
      );
    if (!isAnnounced(header.format, file.claimed_type))
      throw new StorageError(
        'UPLOAD_MISMATCH',
        `The file is ${header.format.toUpperCase()}, not ${file.claimed_type} as was announced.`,
      );
    work.bytes = bytes;
    await changed(work, { source_format: header.format });
    return 'go on';
  },
};

export const scan: Step<IngestWork> = {
  stage: 'scan',
  async run(work) {
    const result = await scanBytes(work.deps, need(work.bytes, 'bytes'), work.signal);
    await changed(work, { scan: jsonText({ ...result, at: work.deps.clock.now().toISOString() }) });
    if (result.verdict === 'infected') throw malwareRefusal(result, 'photo');
    return 'go on';
  },
};

export const decode: Step<IngestWork> = {
  stage: 'decode',
  async run(work) {
    work.image = await work.deps.images.open(need(work.bytes, 'bytes'), {
      kind: work.file.kind,
      signal: work.signal,
    });
    // On its way while the models look; a failure is met by whoever awaits it.
    originalOf(work).catch(() => undefined);
    return 'go on';
  },
};

async function changed(work: IngestWork, changes: Parameters<typeof updateFile>[2]): Promise<void> {
  const { id, generation } = work.file;
  const file = await updateFile(work.deps.db, { id, from: 'checking', generation }, changes);
  if (file === null) throw new StorageError('CONFLICT', 'The photo has moved on.');
  work.file = file;
}
