import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectPath } from '#src/adapters/object-store/filesystem/paths.ts';
import {
  encodeTrailer,
  decodeTrailer,
  trailerLength,
} from '#src/adapters/object-store/filesystem/trailer.ts';
import { objectKey } from '#src/domain/keys.ts';

/** Changes objects of the file-system store behind the service's back, as a bad disk or an intruder would. */
export function harmTo(dataDir: string) {
  const pathOf = (key: string) => objectPath(join(dataDir, 'objects'), objectKey(key));
  return {
    /** One bit of the bytes, in the middle; what the file says of itself stays as it was. */
    async flipBit(key: string): Promise<void> {
      const at = Math.floor((await stat(pathOf(key))).size / 3);
      const handle = await open(pathOf(key), 'r+');
      try {
        const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
        await handle.write(Buffer.from([buffer.readUInt8(0) ^ 0x10]), 0, 1, at);
      } finally {
        await handle.close();
      }
    },
    /** Cuts the file, with what it says of itself. */
    async cut(key: string): Promise<void> {
      await truncate(pathOf(key), Math.floor((await stat(pathOf(key))).size / 2));
    },
    async remove(key: string): Promise<void> {
      await rm(pathOf(key));
    },
    /** Two files change places. */
    async swap(one: string, other: string): Promise<void> {
      const aside = `${pathOf(one)}.aside`;
      await rename(pathOf(one), aside);
      await rename(pathOf(other), pathOf(one));
      await rename(aside, pathOf(other));
    },
    /** Other bytes under the same key, described as the store would describe them. `etag` kept: a careful intruder. */
    async replace(key: string, bytes: Buffer, { keepsEtag = false } = {}): Promise<void> {
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
