import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createBasicScanner } from '#src/adapters/scanner/basic.ts';
import * as hostile from '#test/support/hostile.ts';
import { plainPdf } from '#test/support/pdf.ts';
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
      version: 'rules 2',
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
  });

  const tar = `${'name'.padEnd(257, '\0')}ustar\x0000`;
  const programs: readonly (readonly [magic: string, name: string])[] = [
    ['MZ\x90\0', 'Program.Windows'],
    ['\x7fELF\x02\x01', 'Program.Elf'],
    ['\xfe\xed\xfa\xce', 'Program.MachO'],
    ['\xfe\xed\xfa\xcf', 'Program.MachO'],
    ['\xce\xfa\xed\xfe', 'Program.MachO'],
    ['\xcf\xfa\xed\xfe', 'Program.MachO'],
    ['\xca\xfe\xba\xbe', 'Program.MachO'],
    ['\xca\xfe\xba\xbf', 'Program.MachO'],
    ['#!/bin/sh\n', 'Program.Script'],
  ];
  const archives: readonly (readonly [magic: string, name: string])[] = [
    ['PK\x03\x04', 'Archive.Zip'],
    ['Rar!\x1a\x07\0', 'Archive.Rar'],
    ['Rar!\x1a\x07\x01\0', 'Archive.Rar'],
    ['7z\xbc\xaf\x27\x1c', 'Archive.7z'],
    ['\xfd7zXZ\0', 'Archive.Xz'],
    ['\x1f\x8b\x08', 'Archive.Gzip'],
    ['BZh9', 'Archive.Bzip2'],
    ['\x28\xb5\x2f\xfd', 'Archive.Zstandard'],
    ['MSCF\0', 'Archive.Cabinet'],
    [tar, 'Archive.Tar'],
  ];
  it.each([...programs, ...archives])(
    'finds %j behind a JPEG, a PNG, a WebP and a PDF',
    async (magic, name) => {
      const { blackPng } = await import('#test/support/png.ts');
      const content = Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(500, 1)]);
      for (const before of [
        await photo(),
        blackPng(9, 9),
        await readFile(photoPath('slings.webp')),
        plainPdf().bytes,
      ]) {
        expect(await signatureOf(before)).toBeNull();
        expect(await signatureOf(Buffer.concat([before, content])), name).toBe(`Basic.Appended.${name}`);
      }
    },
  );

  it.each(archives.filter(([magic]) => /^(Rar|7z|\xfd7z)/.test(magic)))(
    'finds %j anywhere behind a photo',
    async (magic, name) => {
      const behind = Buffer.concat([Buffer.from('a trailer, and then '), Buffer.from(magic, 'latin1')]);
      expect(await signatureOf(Buffer.concat([await photo(), behind]))).toBe(`Basic.Appended.${name}`);
    },
  );

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
