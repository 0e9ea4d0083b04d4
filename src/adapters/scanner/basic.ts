import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StorageError } from '../../domain/errors.ts';
import type { Scanner, ScanResult } from '../../ports/scanner.ts';
import { EICAR_NAME, hasEicar } from '../../domain/eicar.ts';
import { findForeignContent } from './basic/structure.ts';
import { chunksOf, withSource } from './source.ts';

export interface BasicScannerOptions {
  /** SHA-256 (64 hex digits, lower case) of files to refuse → the name to report. */
  readonly knownHashes?: ReadonlyMap<string, string>;
  /** The longest file it reads; a longer one is SCANNER_UNAVAILABLE, since it cannot vouch for it. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
/** Raised when what is looked for changes. */
const VERSION = 'rules 2';

/**
 * The scanner that needs nothing installed. It is not an antivirus and says so by its name in every verdict: it finds
 * the EICAR test file anywhere, files whose hash is known, programs, and archives or programs hidden behind the end
 * of an image. What phones append themselves (second pictures, motion photos, vendors' trailers) is clean.
 * Production refuses to start with it.
 */
export function createBasicScanner(options: BasicScannerOptions = {}): Scanner {
  const { knownHashes = new Map<string, string>(), maxBytes = DEFAULT_MAX_BYTES } = options;
  const answer = (signature: string | null): ScanResult => ({
    verdict: signature === null ? 'clean' : 'infected',
    signature,
    scanner: 'basic',
    version: VERSION,
  });
  return {
    name: 'basic',
    identity: 'basic',
    scan: (body, signal) =>
      withSource(body, async () => {
        if (signal?.aborted) throw new StorageError('ABORTED');
        const bytes = body instanceof Readable ? await read(body, maxBytes, signal) : asBuffer(body);
        if (bytes.byteLength > maxBytes) throw tooLong(maxBytes);
        if (hasEicar(bytes)) return answer(EICAR_NAME);
        const known = knownHashes.size === 0 ? undefined : knownHashes.get(hash('sha256', bytes));
        return answer(known ?? findForeignContent(bytes));
      }),
    ping: () => Promise.resolve({ version: VERSION, problem: null }),
    close: () => Promise.resolve(),
  };
}

async function read(body: Readable, maxBytes: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(body, signal)) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same memory, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tooLong(maxBytes: number): StorageError {
  return new StorageError('SCANNER_UNAVAILABLE', undefined, { details: { reason: 'too long', maxBytes } });
}
