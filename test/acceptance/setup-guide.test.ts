import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDE = join(ROOT, 'docs/storage/setup-guide.md');
const CEPH = process.env['TEST_S3_ENDPOINT'];
const BUCKET = `guide-${Date.now().toString(36)}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'localex-guide-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!CEPH)('the setup guide, on Ceph (TEST_S3_ENDPOINT)', () => {
  test('from a local S3 server to a photo in its bucket, command by command', async () => {
    const port = await freePort();
    const commands = (await localCommands())
      // The server is there already, and others use it too.
      .replace(/^eval "\$\(test\/services\/ceph-rgw\.sh start .*$/m, ':')
      .replace(/^test\/services\/ceph-rgw\.sh stop .*$/m, ':')
      .replaceAll('.data/', `${folder}/`)
      .replaceAll('localex-dev', BUCKET)
      .replaceAll('8787', String(port));
    expect(commands).toContain('npm start &');
    const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', commands], {
      cwd: ROOT,
      env: { ...process.env, PORT: String(port), LOG_LEVEL: 'warn' },
      timeout: 100_000,
    });
    expect(stdout).toContain(`Made the bucket ${BUCKET} at ${CEPH}`);
    expect(stdout).toContain('"status":"ready"');
    expect(stdout).toMatch(/<Key>items\/original\/red-lamp\/[\w-]+\.jpg<\/Key>/);
    expect(stdout).not.toContain('"code":"');
  });
});

/** The shell blocks of the section about this machine, in order. */
async function localCommands(): Promise<string> {
  const text = await readFile(GUIDE, 'utf8');
  const section = /\n## On this machine\n(.*)/s.exec(text)?.[1] ?? '';
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map((block) => block[1] ?? '').join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
