import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { clientOf } from './client.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));

let service: RunningService;
let folder: string;
beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn' } });
  folder = await mkdtemp(join(tmpdir(), 'localex-readme-'));
  await copyFile(photoPath('waterfall.jpg'), join(folder, 'photo.jpg'));
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

test('the examples of the README do what they say', async () => {
  const examples = await curlExamples();
  expect(examples).toContain('curl -s');
  const script = examples.replace(/^URL=.*$/m, `URL=${service.url}`);
  const run = promisify(execFile)('bash', ['-eu', '-c', script], { cwd: folder });
  // The last command follows events until its own time limit, which curl reports as exit code 28.
  const { stdout } = await run.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 28 && 'stdout' in error)
      return { stdout: String(error.stdout) };
    throw error;
  });
  expect(stdout).toContain('"title":"Blue bike"');
  expect(stdout).toContain('event: photo');
  expect(stdout).not.toContain('"code":"');
  const { photos } = await clientOf(service.url).gallery('blue-bike');
  expect(photos.length).toBe(1);
});

/** The shell blocks of the section about curl, in order. */
async function curlExamples(): Promise<string> {
  const text = await readFile(README, 'utf8');
  const section = /\n## With curl\n(.*?)\n## /s.exec(text)?.[1] ?? '';
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map((block) => block[1] ?? '').join('\n');
}
