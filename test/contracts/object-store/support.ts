import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { type ErrorCode, isStorageError } from '#src/domain/errors.ts';
import { type ObjectKey, objectKey } from '#src/domain/keys.ts';
import type { GetOptions, ListPage, ObjectStore, PutOptions } from '#src/ports/object-store.ts';

/** A store to try, and how its signed URLs are answered where that is not the store's own doing. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Answers a signed GET; `fetch` unless given. */
  readonly get?: (url: string) => Promise<{ status: number; body: Buffer }>;
  /** Answers a posted form with its status; `fetch` unless given. */
  readonly post?: (form: PostedForm) => Promise<number>;
  /** Begins a write and leaves it, as a process does that dies. */
  readonly leaveUnfinished: (key: ObjectKey) => Promise<void>;
  /** Clauses, by the name of their test, that this product is known not to keep, and why. They are skipped with that. */
  readonly gaps?: Readonly<Record<string, string>>;
  stop?(): Promise<void>;
}

export interface PostedForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly file: Buffer;
}

export const PLAIN: PutOptions = { contentType: 'application/octet-stream' };

let folders = 0;
/** Keys of one test, away from those of the others. */
export function folder(): (name: string) => ObjectKey {
  folders += 1;
  const base = `contract/${folders}`;
  return (name) => objectKey(`${base}/${name}`);
}

export async function read(store: ObjectStore, key: ObjectKey, options?: GetOptions): Promise<Buffer> {
  const { body } = await store.get(key, options);
  return buffer(body);
}

/** All keys below a prefix, read in pages of `limit`. */
export async function keys(store: ObjectStore, prefix: string, limit = 1000): Promise<string[]> {
  const found: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const page: ListPage = await store.list(prefix, after === '' ? { limit } : { limit, after });
    expect(page.objects.length).toBeLessThanOrEqual(limit);
    found.push(...page.objects.map(({ key }) => key));
    after = page.next;
  }
  return found;
}

/** The code a call fails with; null when it succeeds. Another error than ours fails the test. */
export async function outcome(call: Promise<unknown>): Promise<ErrorCode | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
}

/** A stream of uneven chunks. */
export function chunked(bytes: Buffer): Readable {
  return Readable.from(pieces(bytes), { objectMode: false });
}

/** A stream that gives all its bytes and then fails. */
export function breaking(bytes: Buffer): Readable {
  function* broken(): Generator<Buffer> {
    yield* pieces(bytes);
    throw new Error('the source broke');
  }
  return Readable.from(broken(), { objectMode: false });
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = ((size * 3) % 130_003) + 1)
    yield bytes.subarray(at, at + size);
}

export async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.destroyed).toBe(true);
}
