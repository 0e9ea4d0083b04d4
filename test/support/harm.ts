import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { objectPath } from '#src/adapters/object-store/filesystem/paths.ts';
import {
  encodeTrailer,
  decodeTrailer,
  trailerLength,
} from '#src/adapters/object-store/filesystem/trailer.ts';
import { objectKey } from '#src/domain/keys.ts';
import { openStorage, USES_BUCKET } from './storage-under-test.ts';

/** What happens to objects behind the service's back. */
export interface Harm {
  /** One bit of the bytes, in the middle; what the store says of the object stays as it was, as far as it can. */
  flipBit(key: string): Promise<void>;
  cut(key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Two objects change places. */
  swap(one: string, other: string): Promise<void>;
  /**
   * Other bytes under the same key, described as the store would describe them. `keepsEtag`: a careful intruder; the ETag of
   * a bucket follows from the bytes all the same.
   */
  replace(key: string, bytes: Buffer, options?: { keepsEtag?: boolean }): Promise<void>;
}

/** Changes objects of a service on that data folder, as a bad disk or an intruder would; in its bucket where it has one. */
export function harmTo(dataDir: string): Harm {
  return USES_BUCKET ? harmToBucket(dataDir) : harmToFiles(dataDir);
}

function harmToBucket(dataDir: string): Harm {
  const change = async (key: string, work: (bytes: Buffer) => Buffer): Promise<void> => {
    const store = await openStorage(dataDir);
    const { info, body } = await store.get(objectKey(key));
    const { contentType, cacheControl, metadata } = info;
    const described = { contentType, metadata, ...(cacheControl !== null && { cacheControl }) };
    await store.put(objectKey(key), work(await buffer(body)), described);
    await store.close();
  };
  const read = async (key: string): Promise<Buffer> => {
    const store = await openStorage(dataDir);
    const bytes = await buffer((await store.get(objectKey(key))).body);
    await store.close();
    return bytes;
  };
  return {
    flipBit: (key) =>
      change(key, (bytes) => {
        const at = Math.floor(bytes.length / 3);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
        return bytes;
      }),
    cut: (key) => change(key, (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2))),
    async remove(key) {
      const store = await openStorage(dataDir);
      await store.delete(objectKey(key));
      await store.close();
    },
    async swap(one, other) {
      const [first, second] = [await read(one), await read(other)];
      await change(one, () => second);
      await change(other, () => first);
    },
    replace: (key, bytes) => change(key, () => bytes),
  };
}

function harmToFiles(dataDir: string): Harm {
  const pathOf = (key: string) => objectPath(join(dataDir, 'objects'), objectKey(key));
  return {
    async flipBit(key) {
      const at = Math.floor((await stat(pathOf(key))).size / 3);
      const handle = await open(pathOf(key), 'r+');
      try {
        const { buffer: byte } = await handle.read(Buffer.alloc(1), 0, 1, at);
        await handle.write(Buffer.from([byte.readUInt8(0) ^ 0x10]), 0, 1, at);
      } finally {
        await handle.close();
      }
    },
    /** Cuts the file, with what it says of itself. */
    async cut(key) {
      await truncate(pathOf(key), Math.floor((await stat(pathOf(key))).size / 2));
    },
    async remove(key) {
      await rm(pathOf(key));
    },
    async swap(one, other) {
      const aside = `${pathOf(one)}.aside`;
      await rename(pathOf(one), aside);
      await rename(pathOf(other), pathOf(one));
      await rename(aside, pathOf(other));
    },
    async replace(key, bytes, { keepsEtag = false } = {}) {
      const file = await readFile(pathOf(key));
      const length = trailerLength(file);
      const info = length === null ? null : decodeTrailer(file.subarray(file.length - length), file.length);
      if (info === null) throw new Error(`Expected ${key} to be an object of the store`);
      const etag = keepsEtag ? info.etag : 'f'.repeat(32);
      await writeFile(
        pathOf(key),
        Buffer.concat([bytes, encodeTrailer({ ...info, bytes: bytes.length, etag })]),
      );
    },
  };
}
