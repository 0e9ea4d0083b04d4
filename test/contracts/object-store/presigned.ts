import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ObjectKey } from '#src/domain/keys.ts';
import { folder, outcome, PLAIN, type PostedForm, read, type StoreUnderTest } from './support.ts';

const FORM = { contentType: 'image/jpeg', maxBytes: 1000, expiresInSeconds: 60 };

/** What a signature opens, and that it opens nothing else. */
export function presignedAccess(under: () => StoreUnderTest): void {
  describe('signed URLs', () => {
    test('a signed URL gives the bytes to anybody', async ({ skip }) => {
      const { store, get = fetched } = under();
      if (store.signGetUrl === undefined) return skip('supportsPresignedGet is false');
      const key = folder()("it's/a:b|c@d=e+f.jpg");
      const bytes = randomBytes(100_000);
      await store.put(key, bytes, PLAIN);
      const { status, body } = await get(await store.signGetUrl(key, 60));
      expect(status).toBe(200);
      expect(body.equals(bytes)).toBe(true);
    });

    test('a URL changed in any part is refused', async ({ skip }) => {
      const { store, get = fetched } = under();
      if (store.signGetUrl === undefined) return skip('supportsPresignedGet is false');
      const at = folder();
      for (const name of ['mine.jpg', 'yours.jpg']) await store.put(at(name), Buffer.from(name), PLAIN);
      const signed = await store.signGetUrl(at('mine.jpg'), 60);
      const unsigned = new URL(signed);
      unsigned.search = '';
      const forged = [
        signed.replace('mine', 'yours'),
        `${signed.slice(0, -2)}zz`,
        unsigned.href,
        later(signed),
      ];
      for (const url of forged) expect((await get(url)).status).toBe(403);
    });
  });

  describe('signed forms', () => {
    test('a signed form takes a file of its type and up to its size', async ({ skip }) => {
      const { store, post = posted } = under();
      if (store.signPostForm === undefined) return skip('supportsPresignedPost is false');
      const key = folder()('direct.jpg');
      const file = randomBytes(FORM.maxBytes);
      const form = await store.signPostForm(key, FORM);
      expect(await post({ ...form, file })).toBeLessThan(300);
      expect((await read(store, key)).equals(file)).toBe(true);
      expect((await store.head(key)).contentType).toBe('image/jpeg');
    });

    test('a larger file, an empty one, another key, type or policy are refused and leave nothing', async ({
      skip,
    }) => {
      const { store, post = posted } = under();
      if (store.signPostForm === undefined) return skip('supportsPresignedPost is false');
      const at = folder();
      const { url, fields } = await store.signPostForm(at('direct.jpg'), FORM);
      const file = randomBytes(100);
      // Products differ in how they write the name of this field.
      const [name = '', policy = ''] =
        Object.entries(fields).find(([field]) => field.toLowerCase() === 'policy') ?? [];
      const wrong: PostedForm[] = [
        { url, fields, file: randomBytes(FORM.maxBytes + 1) },
        { url, fields, file: Buffer.alloc(0) },
        { url, fields: { ...fields, key: at('other.jpg') }, file },
        { url, fields: { ...fields, 'Content-Type': 'text/html' }, file },
        { url, fields: { ...fields, [name]: `${policy.slice(0, -4)}AAAA` }, file },
        { url, fields: { key: at('direct.jpg') }, file },
      ];
      for (const form of wrong) expect(await post(form)).toBeGreaterThanOrEqual(400);
      const left: ObjectKey[] = [at('direct.jpg'), at('other.jpg')];
      for (const key of left) expect(await outcome(store.head(key))).toBe('NOT_FOUND');
    });
  });
}

/** The same URL with every number in its query raised: an expiry that was not signed. */
function later(url: string): string {
  const changed = new URL(url);
  for (const [name, value] of changed.searchParams)
    if (/^\d+$/.test(value)) changed.searchParams.set(name, String(Number(value) + 1000));
  return changed.href;
}

async function fetched(url: string): Promise<{ status: number; body: Buffer }> {
  const response = await fetch(url);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

async function posted({ url, fields, file }: PostedForm): Promise<number> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(file)]));
  const response = await fetch(url, { method: 'POST', body: form });
  await response.arrayBuffer();
  return response.status;
}
