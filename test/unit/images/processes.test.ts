import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_ENCODER } from '#src/domain/renditions.ts';
import { type ImageProcessOptions, startImageProcess } from '#src/images/image-process.ts';
import { createProcessPool, type PoolOptions, type ProcessPool } from '#src/images/pool.ts';
import type { WorkerCommand } from '#src/images/protocol.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { photoBytes, testEngine, THUMBNAIL, withImage } from './support.ts';

const failed = expect.objectContaining({ code: 'IMAGE_PROCESS_FAILED', retryable: true });
const aborted = expect.objectContaining({ code: 'ABORTED' });
const open = async () => ({ op: 'open', bytes: await photoBytes('lake.jpg') }) as const;

const pools: ProcessPool<WorkerCommand>[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

type Changes = Partial<ImageProcessOptions & Omit<PoolOptions<WorkerCommand>, 'start'>>;

function testPool(changes: Changes = {}): ProcessPool<WorkerCommand> {
  const pool = createProcessPool({
    processes: 1,
    idleMs: 60_000,
    ...changes,
    start: () =>
      startImageProcess({
        settings: { maxPixels: 50_000_000, formats: { heic: true, avif: true }, encoder: DEFAULT_ENCODER },
        callTimeoutMs: 60_000,
        memoryLimitMb: 1024,
        log: silentLog,
        ...changes,
      }),
  });
  pools.push(pool);
  return pool;
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('The process has not started');
  process.kill(pid, name);
}

function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a process that', () => {
  it('is killed at work fails that call, and the next gets a fresh one', async () => {
    const pool = testPool();
    const first = await pool.acquire();
    await first.call(await open());
    const work = first.call({ op: 'analyse' });
    signal(first.pid, 'SIGKILL');
    await expect(work).rejects.toEqual(failed);
    await expect(first.call({ op: 'analyse' })).rejects.toEqual(failed);
    pool.release(first);
    const second = await pool.acquire();
    expect(second.pid).not.toBe(first.pid);
    expect(await second.call(await open())).toMatchObject({ width: 1200, height: 1800 });
    pool.release(second);
  });

  it('hangs is ended at its time limit', async () => {
    const pool = testPool({ callTimeoutMs: 1500 });
    const hanging = await pool.acquire();
    await hanging.call(await open());
    signal(hanging.pid, 'SIGSTOP');
    await expect(hanging.call({ op: 'analyse' })).rejects.toMatchObject({ details: { reason: 'timeout' } });
    await hanging.exited;
    expect(isRunning(hanging.pid)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('takes too much memory is ended', async () => {
    const pool = testPool({ memoryLimitMb: 64 });
    const greedy = await pool.acquire();
    const bytes = await largePhoto();
    await expect(greedy.call({ op: 'open', bytes })).rejects.toMatchObject({
      code: 'IMAGE_PROCESS_FAILED',
      details: { reason: 'memory' },
    });
  });

  it('was told to stop by a signal ends with ABORTED', async () => {
    const pool = testPool();
    const stopped = await pool.acquire();
    await stopped.call(await open());
    const controller = new AbortController();
    const work = stopped.call({ op: 'analyse' }, controller.signal);
    controller.abort();
    await expect(work).rejects.toEqual(aborted);
    await stopped.exited;
    expect(stopped.isAlive).toBe(false);
  });

  it('has no work for a while ends', async () => {
    const pool = testPool({ idleMs: 20 });
    const idle = await pool.acquire();
    await idle.call(await open());
    pool.release(idle);
    await idle.exited;
    expect(isRunning(idle.pid)).toBe(false);
  });

  it('has lost its parent ends by itself', async () => {
    const module = new URL('../../../src/images/image-process.ts', import.meta.url).href;
    const script = `
      const { startImageProcess } = await import(${JSON.stringify(module)});
      const log = { info() {}, warn() {}, error() {}, child() { return log; } };
      const settings = { maxPixels: 1, formats: { heic: false, avif: false }, encoder: {} };
      const child = startImageProcess({ settings, callTimeoutMs: 60000, memoryLimitMb: 1024, log });
      await child.call({ op: 'close' });
      console.log(child.pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line]: unknown[] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 });
  });

  it.runIf(process.platform === 'linux')('sees nothing of the environment of the service', async () => {
    process.env['SECRET_OF_THE_SERVICE'] = 'x';
    const child = startImageProcess({
      settings: { maxPixels: 1, formats: { heic: false, avif: false }, encoder: DEFAULT_ENCODER },
      callTimeoutMs: 60_000,
      memoryLimitMb: 1024,
      log: silentLog,
    });
    await child.call({ op: 'close' });
    const environment = await readFile(`/proc/${child.pid}/environ`, 'utf8');
    delete process.env['SECRET_OF_THE_SERVICE'];
    child.kill();
    await child.exited;
    expect(environment).toContain('VIPS_BLOCK_UNTRUSTED');
    expect(environment).not.toContain('SECRET_OF_THE_SERVICE');
  });
});

describe('turns', () => {
  it('go in the order they were asked for, to one caller at a time', async () => {
    const pool = testPool();
    const order: number[] = [];
    const first = await pool.acquire();
    const others = [1, 2, 3].map(async (number) => {
      const mine = await pool.acquire();
      order.push(number);
      pool.release(mine);
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    pool.release(first);
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
  });

  it('can be given up while waiting, and the others still come', async () => {
    const pool = testPool();
    const first = await pool.acquire();
    const controller = new AbortController();
    const given = pool.acquire(controller.signal);
    const kept = pool.acquire();
    controller.abort();
    await expect(given).rejects.toEqual(aborted);
    pool.release(first);
    pool.release(await kept);
  });

  it('end when the pool is closed, which leaves no process', async () => {
    const pool = testPool();
    const first = await pool.acquire();
    const waiting = pool.acquire().catch((error: unknown) => error);
    await pool.close();
    expect(await waiting).toEqual(failed);
    await expect(pool.acquire()).rejects.toEqual(failed);
    expect(isRunning(first.pid)).toBe(false);
  });
});

describe('the engine', () => {
  it('holds a second photo back until the first is closed', async () => {
    const engine = testEngine();
    const bytes = await photoBytes('lake.jpg');
    const first = await engine.open(bytes, { kind: 'item_photo' });
    let isOpen = false;
    const second = withImage(engine, bytes, async (image) => {
      isOpen = true;
      return image.encode(THUMBNAIL);
    });
    await first.encode(THUMBNAIL);
    expect(isOpen).toBe(false);
    await first.close();
    await first.close();
    expect((await second).report.clean).toBe(true);
    await engine.close();
  });

  it('ends a call with a failure when it takes too long, and frees the place', async () => {
    const engine = testEngine({ openTimeoutMs: 1 });
    const bytes = await photoBytes('lake.jpg');
    await expect(engine.open(bytes, { kind: 'item_photo' })).rejects.toEqual(failed);
    await expect(engine.open(bytes, { kind: 'item_photo' })).rejects.toEqual(failed);
    await engine.close();
  });

  it('names the codecs that shape its outputs', async () => {
    const engine = testEngine();
    expect(Object.keys(engine.versions)).toEqual(
      expect.arrayContaining(['sharp', 'vips', 'mozjpeg', 'webp', 'libheif']),
    );
    await engine.close();
  });
});
