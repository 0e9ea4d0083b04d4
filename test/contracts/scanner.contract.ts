import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eicarFile } from '#src/domain/eicar.ts';
import type { Scanner } from '#src/ports/scanner.ts';
import { listPhotos, photoPath } from '#test/support/photos.ts';

export interface ScannerUnderTest {
  readonly product: string;
  /** It takes files of 10 MiB. */
  readonly open: () => Promise<Scanner>;
  /** Why it cannot be had here. */
  readonly missing?: string | undefined;
}

/** What any virus scanner must do; see `src/ports/scanner.ts`. */
export function describeScanner({ product, open, missing }: ScannerUnderTest): void {
  const title = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`a virus scanner: ${product}${title}`, () => {
    let scanner: Scanner;
    beforeAll(async () => {
      scanner = await open();
    });
    afterAll(() => scanner?.close());

    test('says who it is, and of which version, in its health and in each verdict', async () => {
      const { version } = await scanner.ping();
      expect(version).not.toBe('');
      expect(await scanner.scan(Buffer.from('nothing'))).toEqual({
        verdict: 'clean',
        signature: null,
        scanner: scanner.name,
        version,
      });
      expect(scanner.identity).not.toBe('');
    });

    test('finds the test file alone, in bytes and in a stream, and names what it found', async () => {
      for (const body of [eicarFile(), Readable.from([eicarFile()])])
        expect(await scanner.scan(body)).toMatchObject({
          verdict: 'infected',
          signature: expect.stringMatching(/EICAR/i),
        });
    });

    test('finds nothing in photos', async () => {
      for (const { name } of listPhotos().slice(0, 6))
        expect((await scanner.scan(await readFile(photoPath(name)))).verdict, name).toBe('clean');
    });

    test('takes an empty file, and pieces of any length', async () => {
      expect((await scanner.scan(new Uint8Array())).verdict).toBe('clean');
      const pieces = [eicarFile().subarray(0, 1), Buffer.alloc(0), eicarFile().subarray(1)];
      expect((await scanner.scan(Readable.from(pieces))).verdict).toBe('infected');
    });

    test('looks at the last of ten million bytes', async () => {
      const bytes = Buffer.alloc(10 * 1024 * 1024 - 68, 7);
      expect((await scanner.scan(bytes)).verdict).toBe('clean');
      expect((await scanner.scan(Buffer.concat([bytes, eicarFile()]))).verdict).toBe('infected');
    });

    test('answers many at once, each its own', async () => {
      const bodies = Array.from({ length: 40 }, (_, index) =>
        index % 3 === 0 ? eicarFile() : Buffer.alloc(1000 * index, 1),
      );
      const results = await Promise.all(bodies.map((body) => scanner.scan(body)));
      expect(results.map(({ verdict }) => verdict)).toEqual(
        bodies.map((_, index) => (index % 3 === 0 ? 'infected' : 'clean')),
      );
    });

    test('gives no verdict on a stream that breaks, and destroys it', async () => {
      const broken = new Readable({ read() {} });
      const scan = scanner.scan(broken);
      broken.push('some bytes');
      broken.destroy(new Error('the disk is gone'));
      await expect(scan).rejects.toMatchObject({ code: 'SCANNER_UNAVAILABLE' });
      expect(broken.destroyed).toBe(true);
    });

    test('stops at a signal, before and in the middle', async () => {
      await expect(scanner.scan(eicarFile(), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
      const endless = new Readable({ read() {} });
      const controller = new AbortController();
      const scan = scanner.scan(endless, controller.signal);
      endless.push(Buffer.alloc(1000));
      controller.abort();
      await expect(scan).rejects.toMatchObject({ code: 'ABORTED' });
      expect(endless.destroyed).toBe(true);
      expect((await scanner.scan(eicarFile())).verdict).toBe('infected');
    });
  });
}
