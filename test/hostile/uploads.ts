import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { z } from 'zod';
import { Photo } from '#src/http/schemas.ts';
import { verifyOutput } from '#src/images/verify.ts';
import { type Client, objectsIn, photoFile } from '#test/acceptance/client.ts';
import type { UploadFile } from '#test/support/hostile.ts';

export type ReadyPhoto = z.output<typeof Photo>;

/** Uploads a file that must be taken, and waits until all of it is public. */
export async function uploaded(
  client: Client,
  photos: string,
  token: string,
  file: UploadFile,
): Promise<ReadyPhoto> {
  const reply = await client.upload(photos, file, { token });
  expect([201, 202], reply.body.toString()).toContain(reply.status);
  return client.untilState(reply.as(Photo.strict()).id, token, 'ready');
}

/**
 * Every public byte of the photo was written by our encoders: an image of the announced type and size that holds nothing but what
 * they write, never guessed at by a browser, and nothing of `payload`, which is not in the store either.
 */
export async function expectOurs(
  client: Client,
  photo: ReadyPhoto,
  dataDir: string,
  payload: readonly string[] = [],
): Promise<void> {
  const objects = publicObjects(photo);
  expect(objects.length).toBeGreaterThanOrEqual(2);
  for (const { url, format, width, height } of objects) {
    if (format !== 'jpeg' && format !== 'webp' && format !== 'png') throw new Error(`Unexpected ${format}`);
    const { status, headers, body } = await client.call('GET', url);
    expect([status, headers.get('content-type')]).toEqual([200, `image/${format}`]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(verifyOutput(body, { format, width, height }).findings, url).toEqual([]);
    for (const text of payload) expect(body.includes(text), `${text} in ${url}`).toBe(false);
  }
  for (const path of await objectsIn(dataDir)) {
    const stored = await readFile(path);
    for (const text of payload) expect(stored.includes(text), `${text} in the store`).toBe(false);
  }
}

/** The objects of a photo, with the size of their pictures. */
export function publicObjects(photo: ReadyPhoto) {
  return Object.values(photo.variants).flatMap((variant) =>
    variant === undefined
      ? []
      : Object.entries(variant.formats).flatMap(([format, object]) =>
          object === undefined
            ? []
            : [{ format, url: object.url, width: variant.width, height: variant.height }],
        ),
  );
}

export async function remove(client: Client, token: string, photo: ReadyPhoto): Promise<void> {
  expect((await client.call('DELETE', `/v1/photos/${photo.id}`, { token })).status).toBeLessThan(300);
}

/** A real photo is published after whatever came before it. */
export async function expectStillAtWork(client: Client, photos: string, token: string): Promise<void> {
  await remove(client, token, await uploaded(client, photos, token, await photoFile('waterfall.jpg')));
}
