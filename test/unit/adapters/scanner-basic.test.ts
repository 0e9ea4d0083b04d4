import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createBasicScanner } from '#src/adapters/scanner/basic.ts';
import * as hostile from '#test/support/hostile.ts';
import { listPhotos, photoPath } from '#test/support/photos.ts';
import { readFile } from 'node:fs/promises';

const scanner = createBasicScanner();
const photo = () => readFile(photoPath('waterfall.jpg'));
const signatureOf = async (bytes: Uint8Array) => (await scanner.scan(bytes)).signature;

describe('the basic scanner', () => {
  it.each(listPhotos())('finds nothing in $name', async ({ name }) => {
    expect(await scanner.scan(await readFile(photoPath(name)))).toEqual({
      verdict: 'clean',
      signature: null,
      scanner: 'basic',
      version: 'rules 1',
    });
  });

  it('finds EICAR alone, behind a photo, and in the middle of a file', async () => {
    expect(await scanner.scan(hostile.eicar())).toMatchObject({
      verdict: 'infected',
      signature: 'Eicar-Test-Signature',
    });
    expect(await signatureOf((await hostile.eicarBehindJpeg()).bytes)).toBe('Eicar-Test-Signature');
    const inside = Buffer.concat([Buffer.alloc(100_000, 1), hostile.eicar(), Buffer.alloc(100_000, 2)]);
    expect(await signatureOf(inside)).toBe('Eicar-Test-Signature');
  });

  it('finds EICAR wherever a stream is cut', async () => {
    const bytes = Buffer.concat([Buffer.from('before '), hostile.eicar(), Buffer.from(' behind')]);
    for (let at = 1; at < bytes.length; at++) {
      const parts = [bytes.subarray(0, at), bytes.subarray(at)];
      expect((await scanner.scan(Readable.from(parts))).verdict, `cut at ${at}`).toBe('infected');
    }
    const single = Readable.from([...bytes].map((byte) => Buffer.from([byte])));
    expect((await scanner.scan(single)).verdict).toBe('infected');
  });

  it('finds files by their hash', async () => {
    const bytes = await photo();
    const known = new Map([[createHash('sha256').update(bytes).digest('hex'), 'Known.Test']]);
    expect(await createBasicScanner({ knownHashes: known }).scan(bytes)).toMatchObject({
      verdict: 'infected',
      signature: 'Known.Test',
    });
  });

  it('finds archives and programs behind the end of a photo', async () => {
    expect(await signatureOf((await hostile.zipBehindJpeg()).bytes)).toBe('Basic.Appended.Archive.Zip');
    expect(await signatureOf((await hostile.elfBehindJpeg()).bytes)).toBe('Basic.Appended.Program.Elf');
    for (const [magic, name] of [
      ['MZ\x90\0', 'Program.Windows'],
      ['Rar!\x1a\x07\x01\0', 'Archive.Rar'],
      ['7z\xbc\xaf\x27\x1c', 'Archive.7z'],
      ['#!/bin/sh\n', 'Program.Script'],
    ] as const) {
      const bytes = Buffer.concat([await photo(), Buffer.from(magic, 'latin1'), Buffer.alloc(50)]);
      expect(await signatureOf(bytes), name).toBe(`Basic.Appended.${name}`);
    }
  });

  it('finds them behind padding, a second picture, PNG and WebP', async () => {
    const zip = (await hostile.zipBehindJpeg()).bytes.subarray((await photo()).length);
    const png = (await import('#test/support/png.ts')).blackPng(9, 9);
    const webp = await readFile(photoPath('slings.webp'));
    for (const before of [
      [await photo(), Buffer.alloc(64)],
      [await photo(), await photo()],
      [png],
      [webp],
      [await photo(), Buffer.from('a trailer of a vendor, unknown here')],
    ])
      expect(await signatureOf(Buffer.concat([...before, zip]))).toBe('Basic.Appended.Archive.Zip');
  });

  it('leaves what phones append alone: pictures, motion photos, trailers', async () => {
    const video = Buffer.concat([
      Buffer.from([0, 0, 0, 24]),
      Buffer.from('ftypmp42\0\0\0\0isommp42'),
      Buffer.alloc(4000, 7),
    ]);
    const samsung = Buffer.concat([
      Buffer.from('\0\0\x30\x0aMotionPhoto_Data'),
      video,
      Buffer.from('SEFH....SEFT'),
    ]);
    for (const appended of [await photo(), video, samsung, Buffer.alloc(4096)])
      expect(await signatureOf(Buffer.concat([await photo(), appended]))).toBeNull();
  });

  it('finds a program or an archive that is not hidden at all', async () => {
    expect(await signatureOf(Buffer.from('MZ and so on'))).toBe('Basic.Program.Windows');
    expect(await signatureOf(hostile.pdf().bytes)).toBeNull();
    expect(await signatureOf(new Uint8Array())).toBeNull();
  });
});

describe('without a clear answer the basic scanner', () => {
  const unavailable = expect.objectContaining({ code: 'SCANNER_UNAVAILABLE' });

  it('says so when the source breaks', async () => {
    const broken = new Readable({ read() {} });
    const scan = scanner.scan(broken);
    broken.push('some bytes');
    broken.destroy(new Error('the disk is gone'));
    await expect(scan).rejects.toEqual(unavailable);
  });

  it('says so when the file is longer than it reads', async () => {
    await expect(createBasicScanner({ maxBytes: 10 }).scan(Buffer.alloc(11))).rejects.toEqual(unavailable);
  });

  it('stops at a signal', async () => {
    const controller = new AbortController();
    const endless = new Readable({ read() {} });
    const scan = scanner.scan(endless, controller.signal);
    controller.abort();
    await expect(scan).rejects.toMatchObject({ code: 'ABORTED' });
    expect(endless.destroyed).toBe(true);
  });
});
