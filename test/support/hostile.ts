import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { largePhoto } from './large-photo.ts';
import { endOfJpeg, withComment } from './jpeg.ts';
import { photoPath } from './photos.ts';
import { blackPng, chunk, GREY, header, pngFile } from './png.ts';

/** A file as a client sends it: what it says of itself need not be true. */
export interface UploadFile {
  name: string;
  /** The claimed media type. */
  type: string;
  bytes: Buffer;
}

/** A real photo's first half. */
export async function truncatedJpeg(): Promise<UploadFile> {
  const photo = await realPhoto();
  return jpeg('truncated.jpg', photo.subarray(0, photo.length >> 1));
}

/** A real photo with one bit in every 500 bytes of its picture data flipped, always the same ones. */
export async function bitFlippedJpeg(): Promise<UploadFile> {
  const photo = Buffer.from(await realPhoto());
  const from = photo.lastIndexOf(Buffer.from([0xff, 0xda])) + 20;
  for (let at = from; at < photo.length - 2; at += 500) photo[at] = (photo[at] ?? 0) ^ (1 << (at % 8));
  return jpeg('bit-flipped.jpg', photo);
}

export function emptyFile(): UploadFile {
  return jpeg('empty.jpg', Buffer.alloc(0));
}

export function htmlNamedJpg(): UploadFile {
  return jpeg(
    'page.jpg',
    Buffer.from('<!doctype html><title>x</title><script>alert(document.domain)</script>\n'),
  );
}

/** An SVG with a script and a reference to a local file. */
export function svgNamedJpg(): UploadFile {
  const svg = `<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">
<script>alert(1)</script><image xlink:href="file:///etc/hostname" width="9" height="9"/></svg>\n`;
  return jpeg('drawing.jpg', Buffer.from(svg));
}

/** A few bytes whose header claims 50,000 x 50,000 pixels and that hold none. */
export function pngClaimingHugeSize(): UploadFile {
  return png(
    'claims.png',
    pngFile(header(50_000, 50_000, 8, GREY), chunk('IDAT', Buffer.from([0x78, 0x9c]))),
  );
}

/** A valid PNG of that many black pixels: 900 megapixels in 110 KB by default, 2.7 GB as RGB. */
export function decompressionBomb(width = 30_000, height = 30_000): UploadFile {
  return png('bomb.png', blackPng(width, height));
}

/** A valid 12-megapixel JPEG padded with comments to more than the ten megabytes allowed. */
export async function oversizedJpeg(bytes = 12 * 1024 * 1024): Promise<UploadFile> {
  const photo = await largePhoto();
  return jpeg('oversized.jpg', withComment(photo, Buffer.alloc(Math.max(0, bytes - photo.length), 0x20)));
}

/** The EICAR test file behind a photo's end: a scanner must find it, a decoder does not see it. */
export async function eicarBehindJpeg(): Promise<UploadFile> {
  return jpeg('eicar.jpg', await behindPhoto(eicar()));
}

/** The test string that every virus scanner knows; kept in two halves, or this source would be found too. */
export function eicar(): Buffer {
  return Buffer.from(
    ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-', 'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
    'latin1',
  );
}

/** A photo that is a ZIP archive as well. */
export async function zipBehindJpeg(): Promise<UploadFile> {
  return jpeg('archive.jpg', await behindPhoto(zip('readme.txt', Buffer.from('hello\n'))));
}

/** A photo with a Linux program behind its end. */
export async function elfBehindJpeg(): Promise<UploadFile> {
  return jpeg('program.jpg', await behindPhoto(elf()));
}

/** Three frames of one colour each. */
export async function animatedGif(): Promise<UploadFile> {
  const frames = await Promise.all(['#a00', '#0a0', '#00a'].map(plainPng));
  const bytes = await sharp(frames, { join: { animated: true } })
    .gif({ delay: [100, 100, 100] })
    .toBuffer();
  return { name: 'animated.gif', type: 'image/gif', bytes };
}

export async function tiff(): Promise<UploadFile> {
  const bytes = await sharp(await realPhoto())
    .resize(200)
    .tiff()
    .toBuffer();
  return { name: 'scan.tif', type: 'image/tiff', bytes };
}

/** An empty page that runs a script when it is opened. */
export function pdf(): UploadFile {
  const text = `%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>> endobj
trailer <</Root 1 0 R>>
%%EOF\n`;
  return { name: 'document.pdf', type: 'application/pdf', bytes: Buffer.from(text, 'latin1') };
}

/** Names that try to leave the folder, break a header, hide their ending or outgrow a file system. */
export const HOSTILE_NAMES: readonly string[] = [
  '../../../../etc/passwd',
  '..\\..\\..\\windows\\win.ini',
  '%2e%2e%2f%2e%2e%2fsecret.jpg',
  '/etc/shadow.jpg',
  'C:\\photo.jpg',
  'photo.jpg\0.exe',
  'photo.jpg\r\nx-injected: 1',
  'photo";filename="other.jpg',
  `${'a'.repeat(296)}.jpg`,
  'Grüße aus 東京 🚲 żółć.jpg',
  'cafe\u0301.jpg',
  'photo\u202egpj.exe',
  '<img src=x onerror=alert(1)>.jpg',
  'CON.jpg',
  '.htaccess',
  '..',
  ' ',
];

function jpeg(name: string, bytes: Buffer): UploadFile {
  return { name, type: 'image/jpeg', bytes };
}

function png(name: string, bytes: Buffer): UploadFile {
  return { name, type: 'image/png', bytes };
}

function plainPng(background: string): Promise<Buffer> {
  return sharp({ create: { width: 60, height: 40, channels: 3, background } })
    .png()
    .toBuffer();
}

function realPhoto(): Promise<Buffer> {
  return readFile(photoPath('waterfall.jpg'));
}

async function behindPhoto(content: Buffer): Promise<Buffer> {
  const photo = await realPhoto();
  return Buffer.concat([photo.subarray(0, endOfJpeg(photo)), content]);
}

/** A ZIP archive of one stored file; its offsets count from its own start. */
function zip(name: string, content: Buffer): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0); // version needed
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(content.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), content]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0'),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4); // entries on this disk, and in all
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}

/** The header of a 64-bit Linux program for x86, and nothing to run. */
function elf(): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16); // executable
  bytes.writeUInt16LE(62, 18); // x86-64
  bytes.writeUInt32LE(1, 20);
  bytes.writeUInt16LE(64, 52);
  return bytes;
}
