import { readFile } from 'node:fs/promises';
import { StorageError } from '../../../domain/errors.ts';

const LINE = /^([0-9a-f]{64})\s+(\S{1,100})$/i;

/**
 * The list of files to refuse that a file holds: in each line the SHA-256 in hexadecimal digits and the name to report,
 * without blanks. Empty lines and those that begin with `#` are left out.
 *
 * @returns the names by their hash in lower case
 * @throws StorageError INVALID_CONFIGURATION, naming `setting` and the line, when it is missing or something else
 */
export async function loadKnownHashes(path: string, setting: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`${setting}: ${path} cannot be read.`, error);
  });
  const known = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const held = line.trim();
    if (held === '' || held.startsWith('#')) continue;
    const [, sha256, name] = LINE.exec(held) ?? [];
    if (sha256 === undefined || name === undefined)
      throw unusable(
        `${setting}: line ${index + 1} of ${path} is not as expected, 64 hexadecimal digits, a blank and a name.`,
      );
    known.set(sha256.toLowerCase(), name);
  }
  return known;
}

function unusable(message: string, cause?: unknown): StorageError {
  return new StorageError('INVALID_CONFIGURATION', message, { cause });
}
