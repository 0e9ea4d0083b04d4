import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTextReader, type TextReaderOptions } from '#src/images/text-reader.ts';
import type { TextReader } from '#src/ports/text-reader.ts';
import { imageChildren } from '#test/support/children.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { photoWith } from '#test/support/texted-photo.ts';

const readers: TextReader[] = [];
afterEach(() => Promise.all(readers.splice(0).map((reader) => reader.close())));

function testReader(changes: Partial<TextReaderOptions> = {}): TextReader {
  const options = { idleMs: 60_000, timeoutMs: 60_000, memoryLimitMb: 1024, textEdge: 640 };
  const reader = createTextReader({ ...options, log: silentLog, ...changes });
  readers.push(reader);
  return reader;
}

const photo = () => photoWith('stream.jpg', []);

const processes = () => imageChildren('reader');

/** The process of the only reader there is, once it runs. */
const theProcess = () =>
  vi.waitFor(
    async () => {
      const [pid] = await processes();
      if (pid === undefined) throw new Error('Expected a process that reads text');
      return pid;
    },
    { timeout: 10_000 },
  );

describe.runIf(process.platform === 'linux')('the process that reads text', () => {
  it('is not there before the first photo, is one for several, and ends when it is idle', async () => {
    const reader = testReader({ idleMs: 50 });
    expect(await processes()).toEqual([]);
    const all = Promise.all([reader.read(await photo()), reader.read(await photo())]);
    const pid = await theProcess();
    expect(await processes()).toEqual([pid]);
    expect((await all).map(({ codes }) => codes)).toEqual([[], []]);
    await vi.waitFor(async () => expect(await processes()).toEqual([]), { timeout: 10_000 });
  }, 60_000);

  it('killed at work fails that photo only', async () => {
    const reader = testReader();
    const first = reader.read(await photo());
    const second = photo().then((bytes) => reader.read(bytes));
    process.kill(await theProcess(), 'SIGKILL');
    await expect(first).rejects.toMatchObject({ code: 'IMAGE_PROCESS_FAILED', retryable: true });
    expect(await second).toMatchObject({ codes: [] });
  }, 60_000);

  it('that hangs is ended at its time limit', async () => {
    const reader = testReader({ timeoutMs: 1_000 });
    const reading = reader.read(await photo());
    const pid = await theProcess();
    process.kill(pid, 'SIGSTOP');
    await expect(reading).rejects.toMatchObject({ details: { reason: 'timeout' } });
    await vi.waitFor(async () => expect(await processes()).not.toContain(pid), { timeout: 10_000 });
  }, 60_000);

  it('that takes too much memory is ended', async () => {
    const reader = testReader({ memoryLimitMb: 100 });
    await expect(reader.read(await photo())).rejects.toMatchObject({ details: { reason: 'memory' } });
  }, 60_000);

  it('refuses what is no picture, and goes on', async () => {
    const reader = testReader();
    await expect(reader.read(Buffer.from('no picture'))).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
    expect(await reader.read(await photo())).toMatchObject({ codes: [] });
  }, 60_000);
});
