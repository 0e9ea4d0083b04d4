import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { photoBytes, testEngine, withImage } from './support.ts';

const engine = testEngine();
afterAll(() => engine.close());
const measures = (bytes: Uint8Array) => withImage(engine, bytes, (image) => image.coach());

describe('the measures of a photo', () => {
  test('tell how wide its edges are, whatever its contrast', async () => {
    const photo = await photoBytes('mountains.jpg');
    const small = await sharp(photo).autoOrient().resize(800).toBuffer();
    const blurred = await sharp(small).blur(2).png().toBuffer();
    const pale = await sharp(small).linear(0.5, 64).jpeg().toBuffer();
    const sharpest = (await measures(photo)).edgeWidth;
    expect(sharpest).toBeLessThan(0.5);
    expect((await measures(pale)).edgeWidth).toBeCloseTo(sharpest ?? 0, 1);
    expect((await measures(blurred)).edgeWidth).toBeGreaterThan(1);
  });

  test('tell a photo that was smeared in one direction from a sharp one', async () => {
    const small = await sharp(await photoBytes('lumia-820-starfish.jpg'))
      .resize(800)
      .toBuffer();
    const kernel = Array.from({ length: 15 * 15 }, (_, at) => (Math.floor(at / 15) === 7 ? 1 : 0));
    const moved = await sharp(small).convolve({ width: 15, height: 15, kernel, scale: 15 }).png().toBuffer();
    const [before, after] = [await measures(small), await measures(moved)];
    expect(after.edgeWidth).toBeGreaterThan(2 * (before.edgeWidth ?? 1));
  });

  test('tell light, and that a transparent picture stands on white', async () => {
    const plain = (background: string) =>
      sharp({ create: { width: 900, height: 700, channels: 4, background } })
        .png()
        .toBuffer();
    expect(await measures(await plain('#404040'))).toMatchObject({
      brightness: 64,
      highlights: 64,
      edgeWidth: null,
    });
    const half = sharp(await plain('#000000')).composite([
      {
        input: await sharp(await plain('#00000000'))
          .resize(450, 700)
          .png()
          .toBuffer(),
        blend: 'dest-in',
        gravity: 'west',
      },
    ]);
    expect((await measures(await half.png().toBuffer())).highlights).toBeGreaterThan(250);
  });

  test('tell what was drawn from what was photographed', async () => {
    const rows = Array.from(
      { length: 12 },
      (_, at) =>
        `<rect x="20" y="${20 + at * 60}" width="760" height="40" fill="${at % 2 ? '#ddd' : '#35a'}"/>`,
    );
    const drawing = `<svg viewBox="0 0 800 760" width="800" height="760"><rect width="800" height="760" fill="#fff"/>${rows.join('')}</svg>`;
    const drawn = await measures(await sharp(Buffer.from(drawing)).png().toBuffer());
    expect([drawn.flatness > 0.8, drawn.ruledLines > 20]).toEqual([true, true]);
    const photographed = await measures(await photoBytes('dogs.jpg'));
    expect([photographed.flatness < 0.1, photographed.ruledLines]).toEqual([true, 0]);
  });

  test('are finite for every size, one pixel too', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 900],
      [900, 1],
      [33, 33],
    ]) {
      const canvas = sharp({
        create: { width: width ?? 1, height: height ?? 1, channels: 3, background: '#888' },
      });
      const found = await measures(await canvas.png().toBuffer());
      expect(Object.values(found).every((value) => value === null || Number.isFinite(value))).toBe(true);
    }
  });
});
