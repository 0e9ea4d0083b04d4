import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSigner } from '#src/adapters/cdn/signing/signer.ts';
import { IMMUTABLE } from '#src/domain/cache-policy.ts';
import { EVERYWHERE } from '#src/domain/geo.ts';
import { isGone } from '#src/domain/probe.ts';
import type { Cdn } from '#src/ports/cdn.ts';
import { systemClock } from '#src/ports/clock.ts';
import { createCdnService } from '#src/services/cdn.service.ts';
import { probeGone } from '#src/services/cdn/probe.ts';
import type { Answer } from '#test/integration/http/edge-server.ts';
import { rsaKeyPair, SIGNATURES } from '#test/support/signing-keys.ts';

/** A CDN to try, with a store behind it and a viewer before it. */
export interface CdnUnderTest {
  readonly cdn: Cdn;
  /** The same, with URLs that this machine can reach. */
  readonly reachable: Cdn;
  put(key: string, bytes: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  /** Keys read from the store so far. */
  readonly reads: readonly string[];
  /** User id → key of the present thumbnail in JPEG; the one in WebP lies beside it. */
  readonly thumbnails: Map<string, string>;
  /** Asks for a path and query below the CDN's base as they are. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Header fields of a viewer from that country. */
  from(country: string): Record<string, string>;
  /** Lets purges that were asked for be carried out. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

let files = 0;
/** A photo of its own for each test: nothing of it is cached anywhere. */
function newStem(root = 'items/large/bike-1'): string {
  files += 1;
  return `${root}/019a8c6e-6c1e-7b57-9d0c-${String(files).padStart(12, '0')}-3f9a1c2b4d5e`;
}

/** What any CDN must do; see `src/ports/cdn.ts`. */
export function describeCdn(product: string, open: () => Promise<CdnUnderTest>): void {
  describe(`a CDN: ${product}`, () => {
    const jpeg = randomBytes(20_000);
    const webp = randomBytes(10_000);
    let tried: CdnUnderTest;
    let stem = '';
    beforeAll(async () => {
      tried = await open();
    });
    afterAll(() => tried.close());
    beforeEach(async () => {
      stem = newStem();
      await tried.put(`${stem}.jpg`, jpeg);
      await tried.put(`${stem}.webp`, webp);
    });

    const below = (url: string) => {
      const base = tried.cdn.url('');
      expect(url.startsWith(base)).toBe(true);
      return url.slice(base.length);
    };
    const look = (url: string, headers?: Record<string, string>) => tried.get(below(url), headers);
    const refused = [400, 403, 404];
    const inAMinute = () => new Date(Date.now() + 60_000);
    const purge = async (...paths: string[]) => {
      const ticket = await tried.cdn.invalidate(paths);
      await tried.settle();
      expect(await tried.cdn.isPurged(ticket)).toBe(true);
    };

    test('gives absolute URLs, at which objects are, to be kept for ever', async () => {
      const answer = await look(tried.cdn.url(`${stem}.jpg`));
      expect(answer.status).toBe(200);
      expect(answer.body.equals(jpeg)).toBe(true);
      expect(answer.headers).toMatchObject({
        'content-type': 'image/jpeg',
        'cache-control': 'public, max-age=31536000, immutable',
        etag: expect.stringMatching(/^"[^"]+"$/),
      });
    });

    test.each([
      ['image/avif,image/webp,*/*;q=0.8', 'image/webp'],
      ['image/webp;q=0.1', 'image/webp'],
      ['image/webp;q=0, */*', 'image/jpeg'],
      ['*/*', 'image/jpeg'],
      ['', 'image/jpeg'],
    ])('answers .auto for Accept: %s with %s, the first time and from its cache', async (accept, type) => {
      for (const time of ['first', 'second']) {
        const answer = await look(tried.cdn.url(`${stem}.auto`), { accept });
        expect(answer.headers['content-type'], time).toBe(type);
        expect(answer.body.equals(type === 'image/webp' ? webp : jpeg), time).toBe(true);
      }
    });

    test('answers original.auto with the one original, whatever its format', async () => {
      for (const extension of ['jpg', 'webp', 'png']) {
        const original = newStem('items/original/bike-1');
        await tried.put(`${original}.${extension}`, jpeg);
        const answer = await look(tried.cdn.url(`${original}.auto`), { accept: 'image/webp' });
        expect(answer.status, extension).toBe(200);
        expect(answer.body.equals(jpeg), extension).toBe(true);
      }
    });

    test('reads the store once for what is asked for often', async () => {
      for (let time = 0; time < 5; time++) await look(tried.cdn.url(`${stem}.jpg`));
      expect(tried.reads.filter((key) => key === `${stem}.jpg`)).toHaveLength(1);
    });

    test('answers the alias of a profile photo by Accept for a minute, and with another after a purge', async () => {
      const user = `user-${files}`;
      const keys = [0, 1].map(() => newStem(`profiles/thumbnail/${user}`));
      for (const key of keys) {
        await tried.put(`${key}.jpg`, Buffer.concat([jpeg, Buffer.from(key)]));
        await tried.put(`${key}.webp`, Buffer.concat([webp, Buffer.from(key)]));
      }
      const alias = tried.cdn.url(`profiles/thumbnail/${user}/current`);
      expect(refused).toContain((await look(alias)).status);
      for (const key of keys) {
        tried.thumbnails.set(user, `${key}.jpg`);
        await purge(`profiles/thumbnail/${user}/current`);
        const plain = await look(alias);
        expect(plain.body.subarray(jpeg.length).toString()).toBe(key);
        expect(plain.headers['cache-control']).toBe('public, max-age=60');
        const chosen = await look(alias, { accept: 'image/webp' });
        expect(chosen.headers['content-type']).toBe('image/webp');
        expect(chosen.body.subarray(webp.length).toString()).toBe(key);
      }
    });

    test.each(['', '.*'])(
      'forgets a deleted object after its purge, not before (purge of …%s)',
      async (ending) => {
        const url = tried.cdn.url(`${stem}.jpg`);
        await look(url);
        await tried.remove(`${stem}.jpg`);
        expect((await look(url)).status).toBe(200);
        expect((await probeGone({ cdn: tried.reachable, clock: systemClock }, [`${stem}.jpg`])).gone).toBe(
          false,
        );
        await purge(ending === '' ? `${stem}.jpg` : `${stem}${ending}`);
        expect(refused).toContain((await look(url)).status);
        const proof = await probeGone({ cdn: tried.reachable, clock: systemClock }, [`${stem}.jpg`]);
        expect(proof.gone).toBe(true);
        expect(proof.answers).toEqual([
          expect.objectContaining({ path: `${stem}.jpg`, at: expect.any(String) }),
        ]);
        expect(proof.answers.every(isGone)).toBe(true);
      },
    );

    test('forgets nothing but what was purged', async () => {
      const other = newStem();
      await tried.put(`${other}.jpg`, jpeg);
      for (const path of [`${stem}.jpg`, `${other}.jpg`]) await look(tried.cdn.url(path));
      await purge(`${stem}.jpg`);
      await look(tried.cdn.url(`${other}.jpg`));
      expect(tried.reads.filter((key) => key === `${other}.jpg`)).toHaveLength(1);
    });

    test('is warm for what was warmed, in both formats of .auto, and says what it could not fetch', async () => {
      const service = createCdnService({ cdn: tried.reachable, home: null });
      const missing = `${newStem()}.jpg`;
      const report = await service.warmCache([`${stem}.auto`, `${stem}.jpg`, missing]);
      expect(report).toMatchObject({ warmed: 3, failed: [{ key: missing }] });
      const before = tried.reads.length;
      await look(tried.cdn.url(`${stem}.auto`), { accept: 'image/webp' });
      await look(tried.cdn.url(`${stem}.auto`), { accept: '*/*' });
      expect(tried.reads.length).toBe(before);
    });

    describe('with an object that is not public', () => {
      const VIEW = 'quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
      const OTHER = VIEW.replace('c7a11', 'c7a12');
      beforeAll(async () => {
        await tried.put(VIEW, jpeg);
        await tried.put(OTHER, jpeg);
      });

      test('opens it to a signed URL only, and nobody keeps the answer', async () => {
        expect(refused).toContain((await look(tried.cdn.url(VIEW))).status);
        const answer = await look(tried.cdn.signedUrl(VIEW, inAMinute()));
        expect(answer.status).toBe(200);
        expect(answer.body.equals(jpeg)).toBe(true);
        expect(answer.headers['cache-control']).toBe('private, no-store');
        expect(refused).toContain((await look(tried.cdn.url(VIEW))).status);
      });

      test('gives equal URLs to equal requests', () => {
        // The end of a window may lie between two calls; of three, two are equal.
        const urls = [0, 1, 2].map(() => tried.cdn.signedUrl(VIEW, new Date(Date.now() + 3_600_000)));
        expect(new Set(urls).size).toBeLessThan(3);
      });

      test('opens nothing to a signature that is forged, re-targeted, stretched or past', async () => {
        const good = tried.cdn.signedUrl(VIEW, inAMinute());
        const past = createSigner({
          keyPair: rsaKeyPair(),
          limits: SIGNATURES,
          url: (path) => tried.cdn.url(path),
          clock: { now: () => new Date(Date.now() - 7_200_000) },
        });
        const bad = [
          good.replace(VIEW, OTHER),
          good.replace(/Expires=\d+/, 'Expires=99999999999'),
          good.replace(/Signature=.{8}/, 'Signature=AAAAAAAA'),
          good.replace(/Key-Pair-Id=\w+/, 'Key-Pair-Id=KOTHER0000000'),
          good.replace('SHA256', 'SHA1'),
          good.replace(/&Hash-Algorithm=SHA256/, ''),
          good.replace(/Signature=[^&]*&?/, ''),
          `${tried.cdn.url(VIEW)}?Expires=99999999999&Signature=&Key-Pair-Id=`,
          past.signedUrl(VIEW, new Date(Date.now() - 3_600_000)),
        ];
        for (const url of bad) expect((await look(url)).status, url).toBe(403);
        expect((await look(good)).status).toBe(200);
      });

      test('opens it to signed cookies, which open what they cover and nothing else', async () => {
        const cookieOf = (pattern: string) =>
          tried.cdn
            .signedCookies(pattern, inAMinute())
            .map(({ name, value }) => `${name}=${value}`)
            .join('; ');
        const cookie = cookieOf('quarantine/view/*');
        for (const key of [VIEW, OTHER])
          expect((await look(tried.cdn.url(key), { cookie })).status, key).toBe(200);
        const narrow = cookieOf(VIEW.replace('.jpg', '.*'));
        expect((await look(tried.cdn.url(VIEW), { cookie: narrow })).status).toBe(200);
        expect((await look(tried.cdn.url(OTHER), { cookie: narrow })).status).toBe(403);
        for (const forged of [
          cookie.replace(/(-Signature=).{8}/, '$1AAAAAAAA'),
          cookie.replace(/(-Policy=.{60}).{8}/, '$1AAAAAAAA'),
          cookie.replace(/(-Key-Pair-Id=)\w+/, '$1KOTHER0000000'),
          cookie.replace(/CloudFront-Policy=[^;]*; /, 'CloudFront-Expires=99999999999; '),
        ])
          expect((await look(tried.cdn.url(VIEW), { cookie: forged })).status, forged).toBe(403);
      });

      test('signs for no longer than is allowed', () => {
        const tooLong = new Date(Date.now() + (SIGNATURES.maxSeconds + 60) * 1000);
        const code = expect.objectContaining({ code: 'INVALID_REQUEST' });
        expect(() => tried.cdn.signedUrl(VIEW, tooLong)).toThrow(code);
        expect(() => tried.cdn.signedCookies('quarantine/view/*', tooLong)).toThrow(code);
      });
    });

    test.each([
      'temp/uploads/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
      'quarantine/raw/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
      'verification/documents/user-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11.enc',
    ])('does not serve %s', async (key) => {
      await tried.put(key, jpeg);
      expect(refused).toContain((await tried.get(key)).status);
    });

    test.each([
      'items/../quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg',
      'items/%2e%2e/quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg',
      'items/..%2fquarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg',
      '%71uarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg',
      'quarantine%2Fview/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg',
      'items/large/bike-1/%00.jpg',
      'items/large/bike-1/x.jpg%00.png',
      'items/%E0%A4%A',
      'items%5c..%5cx',
      '//etc/passwd',
      '',
    ])('refuses the path %s', async (path) => {
      expect(refused).toContain((await tried.get(path)).status);
    });

    test('answers the countries it is told to, and viewers whose country is not known', async () => {
      const url = tried.cdn.url(`${stem}.jpg`);
      const statuses = async () => {
        const found: number[] = [];
        for (const country of ['DE', 'FR']) found.push((await look(url, tried.from(country))).status);
        return [...found, (await look(url)).status];
      };
      expect(await statuses()).toEqual([200, 200, 200]);
      await tried.cdn.configure({ geo: { kind: 'only', countries: ['DE', 'AT'] } });
      expect(await statuses()).toEqual([200, 403, 200]);
      await tried.cdn.configure({ geo: { kind: 'except', countries: ['DE'] } });
      expect(await statuses()).toEqual([403, 200, 200]);
      await tried.cdn.configure({ geo: EVERYWHERE });
      expect(await statuses()).toEqual([200, 200, 200]);
    });

    test('takes a cache policy for a prefix, again and again', async () => {
      for (const maxAgeSeconds of [600, 600, 60])
        await tried.cdn.setCacheRule({
          pattern: 'items/medium/*',
          policy: { ...IMMUTABLE, immutable: false, maxAgeSeconds },
        });
      expect((await look(tried.cdn.url(`${stem}.jpg`))).status).toBe(200);
    });
  });
}
