import { DEFAULT_ENCODER } from '#src/domain/renditions.ts';
import { createImageEngine } from '#src/images/engine.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import { silentLog } from '#test/support/silent-log.ts';

/** The image engine with the service's defaults, in one process that does not end between rounds. */
export function benchEngine(): ImageEngine {
  return createImageEngine({
    processes: 1,
    idleMs: 600_000,
    maxPixels: 50_000_000,
    maxBytes: 10 * 1024 * 1024,
    formats: { heic: true, avif: true },
    encoder: DEFAULT_ENCODER,
    openTimeoutMs: 60_000,
    memoryLimitMb: 1024,
    log: silentLog,
  });
}
