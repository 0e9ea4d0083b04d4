import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { trailingBytes } from './trailer.ts';

export { privateFindings } from './private-findings.ts';

/** What exiftool read, by `group:tag`, plus `Trailer:Bytes` counted by ourselves. */
export type Metadata = Readonly<Record<string, unknown>>;

let available: boolean | undefined;

/** Whether exiftool answers on this machine (Debian: libimage-exiftool-perl). */
export function exiftoolAvailable(): boolean {
  available ??= spawnSync('exiftool', ['-ver']).status === 0;
  return available;
}

/**
 * Reads everything exiftool knows of a file or of bytes: all groups, duplicates and unknown tags included.
 * exiftool is written by others than the image library under test, which makes it the second opinion.
 */
export async function readMetadata(source: string | Buffer): Promise<Metadata> {
  const bytes = typeof source === 'string' ? await readFile(source) : source;
  const [tags] = z.tuple([z.record(z.string(), z.unknown())]).parse(JSON.parse(await exiftool(bytes)));
  const trailer = trailingBytes(bytes);
  return trailer === 0 ? tags : { ...tags, 'Trailer:Bytes': trailer };
}

/** `-n` gives numbers where there are any (orientation 6, degrees as 47.5), `-` reads standard input. */
function exiftool(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('exiftool', ['-json', '-G1', '-a', '-u', '-n', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => errors.push(part));
    child.on('error', reject);
    child.on('close', (code) => {
      // It ends with 1 for a file it cannot read, and still prints what it knows, the error among it.
      if (out.length > 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`exiftool ended with ${code}: ${Buffer.concat(errors).toString()}`));
    });
    child.stdin.on('error', () => undefined); // it may stop reading early; its exit tells the rest
    child.stdin.end(bytes);
  });
}
