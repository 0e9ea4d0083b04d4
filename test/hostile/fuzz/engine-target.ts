import { isStorageError } from '#src/domain/errors.ts';
import { DEFAULT_ENCODER } from '#src/domain/renditions.ts';
import { createImageEngine } from '#src/images/engine.ts';
import type { DecodedImage } from '#src/ports/image-engine.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { REFUSALS } from './readers.ts';
import type { Target, Verdict } from './target.ts';

/** As the service has it by default. */
const LIMIT_MS = 30_000;
const OUTPUTS = [
  { name: 'original', format: 'webp', maxEdge: 4000 },
  { name: 'thumbnail', format: 'jpeg', maxEdge: 300 },
] as const;

/** The image engine with its child processes: decoders written by others, watched from outside. */
export function engineTarget(): Target {
  const engine = createImageEngine({
    processes: 1,
    idleMs: 60_000,
    maxPixels: 50_000_000,
    maxBytes: 10 * 1024 * 1024,
    formats: { heic: true, avif: true },
    encoder: DEFAULT_ENCODER,
    openTimeoutMs: LIMIT_MS,
    memoryLimitMb: 1024,
    log: silentLog,
  });
  return {
    name: 'engine',
    async take(bytes) {
      try {
        const image = await engine.open(bytes, { kind: 'item_photo' });
        try {
          return await encoded(image);
        } finally {
          await image.close();
        }
      } catch (error) {
        if (isStorageError(error) && REFUSALS.has(error.code)) return { outcome: error.code };
        return { fault: faultOf(error) };
      }
    },
    close: () => engine.close(),
  };
}

async function encoded(image: DecodedImage): Promise<Verdict> {
  for (const output of OUTPUTS) {
    const { report } = await image.encode(output);
    if (!report.clean) return { fault: `an output that is not clean: ${report.findings.join(', ')}` };
  }
  return { outcome: 'encoded' };
}

function faultOf(error: unknown): string {
  if (isStorageError(error)) return `${error.code} ${JSON.stringify(error.details)}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
