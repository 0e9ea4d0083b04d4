import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { AccessLogReading, LoggedRequest } from '#src/ports/access-logs.ts';
import { createLineReader, type ReadLine } from './log-lines.ts';

/** URLs of 8 KB and a user agent are in a line; more is none of a log. */
const MAX_LINE = 64 * 1024;

/**
 * Reads the lines of a gzip file while it arrives: one line and one block of it are in memory. What is cut off or no log is
 * told as damage, after what could be read. Errors: those of `body` and of `take`.
 *
 * @param basePath of the CDN's address, which URLs have before the key: `` or `/photos`
 */
export async function readLogFile(
  body: Readable,
  basePath: string,
  take: (request: LoggedRequest) => void | Promise<void>,
): Promise<AccessLogReading> {
  const readLine = createLineReader(basePath);
  const damage: string[] = [];
  let lines = 0;
  let unreadable = 0;
  try {
    for await (const line of linesOf(body)) {
      const request = read(line, readLine);
      if (request === 'unreadable') unreadable += 1;
      if (request === 'unreadable' || request === null) continue;
      lines += 1;
      await take(request);
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    damage.push(`it is cut off or no gzip (${error.code})`);
  }
  if (unreadable > 0) damage.push(`${unreadable} lines are none of a log`);
  return { lines, damage: damage.length === 0 ? null : damage.join('; ') };
}

function read(line: string, readLine: ReadLine): LoggedRequest | 'unreadable' | null {
  if (line.length > MAX_LINE) return 'unreadable';
  try {
    return readLine(line);
  } catch {
    return 'unreadable';
  }
}

/** Lines without their ends; what is left of one that is too long is cut, so that no line fills the memory. */
async function* linesOf(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  const plain = pipeline(body, createGunzip(), () => undefined);
  for await (const block of plain) {
    const parts = (rest + decoder.decode(block, { stream: true })).split('\n');
    rest = (parts.pop() ?? '').slice(0, MAX_LINE + 1);
    for (const line of parts) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

function isZlibError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
