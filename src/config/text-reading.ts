import { flag, integer, type Read } from './setting.ts';

export interface TextReadingConfig {
  readonly isOn: boolean;
  readonly timeoutMs: number;
  readonly memoryLimitMb: number;
  readonly idleMs: number;
  /** Longest edge that text is looked for in, in pixels. */
  readonly textEdge: number;
}

export const TEXT_READING = {
  readText: flag('TEXT_READING', {
    description: 'Whether telephone numbers, addresses and codes are looked for in public photos.',
    default: true,
  }),
  textTimeoutMs: integer('TEXT_TIMEOUT_MS', {
    description: 'Milliseconds that reading one photo may take before its process is ended.',
    default: 120_000,
    min: 1_000,
    max: 600_000,
  }),
  textMemoryMb: integer('TEXT_MEMORY_LIMIT_MB', {
    description: 'Mebibytes of memory at which the process that reads text is ended.',
    default: 1024,
    min: 256,
    max: 16_384,
  }),
  textIdleMs: integer('TEXT_IDLE_MS', {
    description: 'Milliseconds after which the process that reads text ends when there is nothing to read.',
    default: 30_000,
    min: 0,
    max: 86_400_000,
  }),
  textEdge: integer('TEXT_EDGE', {
    description:
      'Longest edge in pixels that text is looked for in: a larger one finds smaller text and takes longer.',
    default: 960,
    min: 320,
    max: 1600,
  }),
};

export function readTextReading(read: Read): TextReadingConfig {
  return {
    isOn: read(TEXT_READING.readText),
    timeoutMs: read(TEXT_READING.textTimeoutMs),
    memoryLimitMb: read(TEXT_READING.textMemoryMb),
    idleMs: read(TEXT_READING.textIdleMs),
    textEdge: read(TEXT_READING.textEdge),
  };
}
