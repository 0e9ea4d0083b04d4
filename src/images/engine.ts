import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { StorageError } from '../domain/errors.ts';
import {
  type EncoderSettings,
  fitInside,
  type PlannedVariant,
  recipeId,
  recipeVersion,
} from '../domain/renditions.ts';
import type { DecodedImage, EncodedVariant, ImageEngine } from '../ports/image-engine.ts';
import type { Log } from '../ports/log.ts';
import { type Inspection, inspectImage, type InspectLimits } from './inspect.ts';
import { type ImageProcess, startImageProcess } from './image-process.ts';
import { createProcessPool, type ProcessPool } from './pool.ts';
import { Analysed, Coached, Encoded, Fingerprinted, Opened, type WorkerCommand } from './protocol.ts';
import { verifyOutput } from './verify.ts';
import { readEngineVersions } from './versions.ts';

export interface ImageEngineOptions extends InspectLimits {
  /** How many images may be open at once, each in a process of its own. Default: as many as cores. */
  readonly processes?: number;
  /** How long a process without work is kept: it holds about 250 MB once it has seen a large photo. */
  readonly idleMs: number;
  readonly encoder: EncoderSettings;
  /** The longest that one call (open, analyse, encode) may take before its process is ended. */
  readonly openTimeoutMs: number;
  /** Resident memory at which a process is ended. */
  readonly memoryLimitMb: number;
  readonly log: Log;
}

/**
 * The image engine on sharp (JPEG, PNG, WebP, AVIF) and libheif (HEIC), in child processes. Headers are read and
 * outputs are verified and hashed in the caller's process, so that neither depends on one that met hostile bytes.
 */
export function createImageEngine(options: ImageEngineOptions): ImageEngine {
  const { maxPixels, formats, encoder } = options;
  const pool = createProcessPool({
    processes: options.processes ?? availableParallelism(),
    idleMs: options.idleMs,
    start: () =>
      startImageProcess({
        settings: { maxPixels, formats, encoder },
        callTimeoutMs: options.openTimeoutMs,
        memoryLimitMb: options.memoryLimitMb,
        log: options.log,
      }),
  });
  const versions = readEngineVersions();
  const recipe = recipeId(recipeVersion(encoder, versions));
  return {
    versions,
    async inspect(bytes) {
      return (await inspectImage(bytes, options)).header;
    },
    async open(bytes, { signal }) {
      const inspection = await inspectImage(bytes, options);
      const process = await pool.acquire(signal);
      try {
        const opened = Opened.parse(await process.call({ op: 'open', bytes }, signal));
        return decodedImage(pool, process, inspection, opened, recipe);
      } catch (error) {
        pool.release(process);
        throw error;
      }
    },
    close: () => pool.close(),
  };
}

function decodedImage(
  pool: ProcessPool<WorkerCommand>,
  process: ImageProcess,
  inspection: Inspection,
  opened: Opened,
  recipe: string,
): DecodedImage {
  const { width, height, hasAlpha, warnings } = opened;
  let closing: Promise<void> | null = null;
  const call: ImageProcess['call'] = async (command, signal) => {
    if (closing !== null) throw new StorageError('INTERNAL', undefined, { details: { use: 'after close' } });
    return process.call(command, signal);
  };
  return {
    facts: {
      width,
      height,
      hasAlpha,
      warnings,
      sourceFormat: inspection.header.format,
      findings: inspection.findings,
    },
    async analyse(signal) {
      return Analysed.parse(await call({ op: 'analyse' }, signal));
    },
    async fingerprint(signal) {
      return Fingerprinted.parse(await call({ op: 'fingerprint' }, signal));
    },
    async coach(signal) {
      return Coached.parse(await call({ op: 'coach' }, signal));
    },
    async encode(variant, signal) {
      const encoded = Encoded.parse(await call({ op: 'encode', variant }, signal));
      return describe(variant, encoded, recipe, fitInside(width, height, variant.maxEdge));
    },
    close() {
      closing ??= process
        .call({ op: 'close' })
        .then(
          () => undefined,
          () => process.kill(), // it is gone already, or will not let go of the picture
        )
        .finally(() => pool.release(process));
      return closing;
    },
  };
}

function describe(
  { name, format }: PlannedVariant,
  { data }: Encoded,
  recipe: string,
  expected: { width: number; height: number },
): EncodedVariant {
  return {
    name,
    format,
    ...expected,
    data,
    sha256: createHash('sha256').update(data).digest('hex'),
    report: { ...verifyOutput(data, { format, ...expected }), recipe },
  };
}
