import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { z } from 'zod';
import type { ErrorCode } from '#src/domain/errors.ts';
import { Gallery, Item, Photo, Problem } from '#src/http/schemas.ts';
import type { UploadFile } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';
import { storedFiles, storedObjects } from '#test/support/storage-under-test.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The JSON body, which must be exactly of that shape: an unknown field is a leak. */
  as<Schema extends z.ZodType>(schema: Schema): z.output<Schema>;
}

export interface CallOptions {
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client that knows the documented API and nothing of what is behind it. */
export interface Client {
  readonly url: string;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  token(sub: string, ...roles: string[]): Promise<string>;
  /** A new listing of that seller. */
  listing(token: string): Promise<string>;
  upload(path: string, file: UploadFile, options?: CallOptions & { method?: string }): Promise<Reply>;
  gallery(itemId: string, token?: string): Promise<z.output<typeof Gallery>>;
  /** Waits until the photo is in one of these states. */
  untilState(id: string, token: string, ...states: string[]): Promise<z.output<typeof Photo>>;
}

export function clientOf(url: string): Client {
  const client: Client = {
    url,
    async call(method, path, { token, json, body, headers = {} } = {}) {
      const response = await fetch(path.startsWith('http') ? path : `${url}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
        ...(body !== undefined && { body: new Uint8Array(body) }),
      });
      const content = Buffer.from(await response.arrayBuffer());
      return {
        status: response.status,
        headers: response.headers,
        body: content,
        as: (schema) => schema.parse(JSON.parse(content.toString())),
      };
    },
    async token(sub, ...roles) {
      const reply = await client.call('POST', '/dev/token', {
        json: { sub, roles: roles.length === 0 ? ['seller'] : roles },
      });
      expect(reply.status).toBe(200);
      return JSON.parse(reply.body.toString()).token;
    },
    async listing(token) {
      const id = `item-${randomUUID().slice(0, 8)}`;
      const reply = await client.call('POST', '/v1/items', { token, json: { id, title: 'A thing' } });
      expect(reply.status).toBe(201);
      return reply.as(Item).id;
    },
    upload(path, file, { method = 'POST', headers = {}, ...options } = {}) {
      const form = multipart(file);
      return client.call(method, path, {
        ...options,
        body: form.body,
        headers: { 'content-type': form.contentType, ...headers },
      });
    },
    async gallery(itemId, token) {
      const reply = await client.call(
        'GET',
        `/v1/items/${itemId}/photos`,
        token === undefined ? {} : { token },
      );
      expect(reply.status).toBe(200);
      return reply.as(Gallery);
    },
    async untilState(id, token, ...states) {
      return vi.waitFor(
        async () => {
          const photo = (await client.call('GET', `/v1/photos/${id}`, { token })).as(Photo);
          expect(states).toContain(photo.state);
          return photo;
        },
        { timeout: 60_000, interval: 50 },
      );
    },
  };
  return client;
}

/** A multipart body with the name exactly as given, line breaks and quotes included. */
export function multipart(
  file: UploadFile,
  fields: Readonly<Record<string, string>> = {},
): { body: Buffer; contentType: string } {
  const boundary = `----${randomUUID()}`;
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${file.name}"\r\nContent-Type: ${file.type}\r\n\r\n`;
  return {
    body: Buffer.concat([
      Buffer.from(texts.join('') + head),
      file.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}

/** A photo of the fixture folder as a file to upload. */
export async function photoFile(name: string, type = 'image/jpeg'): Promise<UploadFile> {
  return { name, type, bytes: await readFile(photoPath(name)) };
}

/** Every object that a photo names, and its negotiated addresses. */
export function addressesOf(photo: z.output<typeof Photo>) {
  const variants = Object.entries(photo.variants).flatMap(([name, variant]) =>
    variant === undefined ? [] : [{ name, ...variant }],
  );
  const objects = variants.flatMap(({ name, formats }) =>
    Object.entries(formats).flatMap(([format, object]) =>
      object === undefined ? [] : [{ name, format, ...object }],
    ),
  );
  return { objects, urls: [...objects.map(({ url }) => url), ...variants.map(({ auto }) => auto)] };
}

/** The reply is that problem, and says nothing of what is inside. */
export function expectProblem(reply: Reply, status: number, code: ErrorCode): void {
  const text = reply.body.toString();
  expect({ status: reply.status, text }).toMatchObject({
    status,
    text: expect.stringContaining(`"${code}"`),
  });
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  const problem = reply.as(Problem.strict());
  expect(problem).toMatchObject({ status, code });
  expect(problem.detail.length).toBeGreaterThan(10);
  expect(text).not.toMatch(
    /node_modules|node:|\.ts\b|\.js\b|\/tmp|\/home|\/var|vips|sharp|libheif|postgres|kysely|select |ENOENT|EPIPE|at \w+ \(|temp\/uploads|quarantine/i,
  );
}

/** Files with the bytes of every object in the store, temporary ones included. */
export async function objectsIn(dataDir: string): Promise<string[]> {
  return storedFiles(dataDir);
}

/** Waits until the object store holds nothing: deletions follow the answer. */
export async function expectNoObjects(dataDir: string): Promise<void> {
  await expect.poll(() => storedObjects(dataDir), { timeout: 10_000 }).toEqual([]);
}
