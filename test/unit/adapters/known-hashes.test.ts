import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createScanner } from '#src/app/adapters.ts';
import { loadConfig } from '#src/config/index.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'localex-hashes-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function scannerWith(list: string | null) {
  const path = join(dir, 'list.txt');
  if (list === null) await rm(path, { force: true });
  else await writeFile(path, list);
  return createScanner(loadConfig({ SCANNER_KNOWN_HASHES_FILE: path }));
}
const BODY = Buffer.from('a file that somebody knows');
const SHA256 = createHash('sha256').update(BODY).digest('hex');

test('files of the list are found by the name that it gives them', async () => {
  const list = `# known since May\r\n\n${'0'.repeat(64)} Other\n${SHA256.toUpperCase()}\tKnown.Thing-1  \n`;
  const scanner = await scannerWith(list);
  expect(await scanner.scan(BODY)).toMatchObject({ verdict: 'infected', signature: 'Known.Thing-1' });
  expect((await scanner.scan(Buffer.from('another'))).verdict).toBe('clean');
});

test.each([
  ['a short hash', `# a\n${SHA256.slice(1)} Known\n`, 'line 2'],
  ['no name', `${SHA256}\n`, 'line 1'],
  ['a name with a blank', `\n\n${SHA256} Known thing\n`, 'line 3'],
  ['something else', '<html>', 'line 1'],
])('a list with %s is refused at the start, by variable and line', async (_name, list, line) => {
  await expect(scannerWith(list)).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(new RegExp(`^SCANNER_KNOWN_HASHES_FILE: ${line} of .*list\\.txt`)),
  });
});

test('a list that is not there is refused at the start', async () => {
  await expect(scannerWith(null)).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(/^SCANNER_KNOWN_HASHES_FILE: .* cannot be read/),
  });
});
