import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import { distinctPhoto, newItem, SELLER, startApp, type TestApp, untilState } from '#test/support/app.ts';
import { imageChildren } from '#test/support/children.ts';

/** How many of the next looks of the models abort the process they run in. */
let crashes = 0;

/** The real engine, one process, in which the models abort as native code does. */
function aborting(images: ImageEngine): ImageEngine {
  return {
    ...images,
    async open(bytes, options) {
      const image = await images.open(bytes, options);
      return {
        ...image,
        async analyse(signal) {
          if (crashes === 0) return image.analyse(signal);
          crashes -= 1;
          const analysis = image.analyse(signal);
          for (const pid of await imageChildren('worker')) process.kill(pid, 'SIGABRT');
          return analysis;
        },
      };
    },
  };
}

describe.runIf(process.platform === 'linux')('a model that aborts its process', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({
      // Tries are counted, and a job that a busy process has not renewed in time is tried once more.
      env: { QUEUE_ATTEMPTS: '3', QUEUE_LOCK_MS: '20000', IMAGE_PROCESSES: '1' },
      ownImages: true,
      jobs: ({ images }) => ({ images: aborting(images) }),
    });
  });
  afterAll(() => app.close());

  async function upload() {
    const { photo } = await app.files.uploadItemPhoto(SELLER, await newItem(app), await distinctPhoto(), {
      waitMs: 0,
    });
    return photo.id;
  }

  test('ends one try of one photo: it is tried again and published, and so is the next', async () => {
    crashes = 1;
    const first = await untilState(app, await upload(), 'ready');
    expect(first.attempts).toBeGreaterThan(1);
    const ended = app.lines
      .map((line) => JSON.stringify(line))
      .filter((line) => line.includes('ended at work'));
    expect(ended).toMatchObject([expect.stringContaining('SIGABRT')]);
    const second = await untilState(app, await upload(), 'ready');
    expect(second.attempts).toBe(1);
  });

  test('at every try ends its photo, which was never public, and no other', async () => {
    crashes = 3;
    const first = await untilState(app, await upload(), 'failed', 'in_review');
    expect(first.published_at).toBeNull();
    expect(crashes).toBe(0);
    await untilState(app, await upload(), 'ready');
  });
});
