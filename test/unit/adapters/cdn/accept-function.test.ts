import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { acceptFunctionSource } from '#src/adapters/cdn/cloudfront/accept-function.ts';
import { acceptsWebp, candidates, readTarget } from '#src/adapters/cdn/edge/target.ts';

const STEM = 'items/large/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e';
const PROFILE = 'profiles/thumbnail/a@b:c|d/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e';

const Outcome = z.union([
  z.object({ statusCode: z.int() }),
  z.object({ uri: z.string(), headers: z.object({ accept: z.object({ value: z.string() }) }) }),
]);

let source = '';
beforeAll(async () => {
  source = await acceptFunctionSource();
});

/** Runs the function as CloudFront does: the event in its documented form, nothing else in scope. */
function run(path: string, accept?: string | string[]) {
  const values = accept === undefined ? [] : [accept].flat().map((value) => ({ value }));
  const headers =
    values.length === 0
      ? {}
      : { accept: values.length === 1 ? values[0] : { value: values[0]?.value, multiValue: values } };
  const event = { version: '1.0', request: { method: 'GET', uri: `/${path}`, querystring: {}, headers } };
  return Outcome.parse(
    JSON.parse(String(runInNewContext(`${source}; JSON.stringify(handler(${JSON.stringify(event)}))`))),
  );
}

const ACCEPTS = [
  undefined,
  '',
  '*/*',
  'image/*',
  'image/avif,image/webp,*/*;q=0.8',
  'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  'image/webp',
  'IMAGE/WEBP',
  ' image/webp ; q=1 ',
  'image/webp;q=0.1',
  'image/webp;q=0',
  'image/webp; q=0.0',
  'image/webp;q=0.000',
  'image/webp;q=0.001',
  'image/webp;q=0, image/webp',
  'image/webp;level=0;q=0',
  'image/webpx',
  'text/html;x=image/webp',
  'image/avif',
  ',,image/webp,,',
];

describe('the viewer-request function', () => {
  test.each(ACCEPTS)('decides as the edge does for Accept: %s', (accept) => {
    const webp = acceptsWebp(accept);
    const target = readTarget(`${STEM}.auto`);
    if (target === null || target === 'malformed' || target.kind !== 'auto')
      throw new Error('Expected .auto');
    expect(run(`${STEM}.auto`, accept)).toEqual({
      uri: `/${candidates(target, webp)[0]}`,
      headers: { accept: { value: webp ? 'image/webp' : 'image/jpeg' } },
    });
  });

  test('reads several Accept fields as one', () => {
    expect(run(`${STEM}.auto`, ['text/html', 'image/webp'])).toMatchObject({ uri: `/${STEM}.webp` });
  });

  test('leaves every other path as it is: formats that are named, what our service looks up', () => {
    for (const path of [
      `${STEM}.jpg`,
      `${STEM}.webp`,
      `${STEM.replace('large', 'original')}.auto`,
      'profiles/thumbnail/user-1/current',
    ])
      expect(run(path, 'image/webp')).toMatchObject({ uri: `/${path}` });
  });

  test('gives each object one spelling, so that a purge of it forgets it', () => {
    const spelled = [
      `${PROFILE}.jpg`,
      `${PROFILE}.jpg`.replace('@', '%40'),
      `${PROFILE}.jpg`.replace(':', '%3A').replace('|', '%7c'),
      `${PROFILE}.jpg`.replace('thumbnail', '%74humbnail'),
    ].map((path) => run(path));
    for (const outcome of spelled) expect(outcome).toMatchObject({ uri: `/${encodeURI(PROFILE)}.jpg` });
  });

  test.each([
    'items/large/../original/x.jpg',
    'items/%2e%2e/%2e%2e/etc/passwd',
    'items/large%2Fbike-1%2fx.jpg',
    'items/%2e%2e%2fquarantine/view/x.jpg',
    'items/./large/x.jpg',
    'items//large/x.jpg',
    'items\\large\\x.jpg',
    'items/large%5Cx.jpg',
    `${STEM}.jpg/`,
    'items/large/bike-1/%00.jpg',
    'items/%E0%A4%A',
    'items/%',
  ])('answers the path %s like the edge, without asking the bucket', (path) => {
    const target = readTarget(path);
    expect(run(path)).toEqual({ statusCode: target === 'malformed' ? 400 : 404 });
    expect(target === 'malformed' || target === null).toBe(true);
  });

  test('is small enough, and in the language of its runtime', () => {
    expect(Buffer.byteLength(source)).toBeLessThan(10 * 1024);
    expect(source).not.toMatch(/=>|\b(let|const|class|async|import|export)\b(?!.*\*)/);
  });
});
