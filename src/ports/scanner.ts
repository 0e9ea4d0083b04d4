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

export interface ScannerHealth {
  /** As in its results. */
  readonly version: string;
  /** What somebody has to mend although it answers, for the log: signatures that are too old, say. Null: nothing. */
  readonly problem: string | null;
}

/** A virus scanner. Anything but a clear answer is SCANNER_UNAVAILABLE: never "clean". */
export interface Scanner {
  readonly name: string;
  /** Which one it is, for all processes alike: two that ask the same scanner give the same text. Holds no secret. */
  readonly identity: string;
  /** A stream is read once, never kept, and destroyed at the end. Errors: ABORTED by the signal, else SCANNER_UNAVAILABLE. */
  scan(body: Readable | Uint8Array, signal?: AbortSignal): Promise<ScanResult>;
  ping(signal?: AbortSignal): Promise<ScannerHealth>;
  close(): Promise<void>;
}
