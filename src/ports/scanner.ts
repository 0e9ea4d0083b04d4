import type { Readable } from 'node:stream';

export interface ScanResult {
  readonly verdict: 'clean' | 'infected';
  /** Name of what was found; null when clean. */
  readonly signature: string | null;
  /** Which scanner said so: `basic`, `clamd`. */
  readonly scanner: string;
  /** Version of engine and signatures. */
  readonly version: string;
}

/** A virus scanner. Anything but a clear answer is SCANNER_UNAVAILABLE: never "clean". */
export interface Scanner {
  readonly name: string;
  scan(body: Readable | Uint8Array, signal?: AbortSignal): Promise<ScanResult>;
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
