import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { type UploadFile, zipBehindJpeg } from '#test/support/hostile.ts';
import { endOfJpeg, withComment } from '#test/support/jpeg.ts';
import { photoPath } from '#test/support/photos.ts';
import { chunk, header, pngFile } from '#test/support/png.ts';

/** A file that is two things: a picture for us, something else for another program. */
export interface Polyglot {
  readonly name: string;
  readonly make: () => Promise<UploadFile> | UploadFile;
  /** What must be in no public byte, and nowhere in the store. */
  readonly payload: string;
}

const HTML = '<html><body><script>alert(document.domain)</script></body></html>';
const PHP = '<?php system($_GET["c"]); ?>';

/** Those that are whole pictures: taken, since a picture is all that is left of them. */
export const POLYGLOTS: readonly Polyglot[] = [
  {
    name: 'a JPEG with a page in its comment and behind its end',
    payload: '<script>',
    async make() {
      const photo = await jpegPhoto();
      return jpeg(
        Buffer.concat([withComment(photo, Buffer.from(`--><!doctype html>${HTML}<!--`)), Buffer.from(HTML)]),
      );
    },
  },
  {
    name: 'a JPEG that is JavaScript from its first byte on',
    payload: 'alert(1)',
    /** The length of the first segment reads as the start of a comment, and its content fills it. */
    async make() {
      const photo = await jpegPhoto();
      const length = 0x2f2a; // `/*`
      const segment = Buffer.alloc(length + 2);
      segment.set([0xff, 0xe0]);
      segment.writeUInt16BE(length, 2);
      segment.write('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 4, 'latin1');
      segment.write('*/=1;alert(1);/*', 100, 'latin1');
      return jpeg(
        Buffer.concat([
          photo.subarray(0, 2),
          segment,
          photo.subarray(2, endOfJpeg(photo)),
          Buffer.from('*/'),
        ]),
      );
    },
  },
  {
    name: 'a PNG with a PHP program in a text, a chunk of its own and behind its end',
    payload: '<?php',
    async make() {
      const png = await pngPhoto();
      const program = Buffer.from(PHP);
      const texts = [
        chunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), program])),
        chunk('phPp', program),
      ];
      return pngFileOf(Buffer.concat([png.subarray(0, 33), ...texts, png.subarray(33), program]));
    },
  },
  {
    name: 'a PNG whose palette is a PHP program',
    payload: '<?php',
    make() {
      const colours = Buffer.from(PHP.padEnd(Math.ceil(PHP.length / 3) * 3, ' '));
      const rows = Buffer.alloc(64 * 65);
      for (let at = 0; at < rows.length; at += 1) if (at % 65 > 0) rows[at] = at % (colours.length / 3);
      return pngFileOf(
        pngFile(header(64, 64, 8, 3), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows))),
      );
    },
  },
  {
    name: 'a WebP with a page in a chunk of its own',
    payload: '<script>',
    async make() {
      const webp = await sharp(await jpegPhoto())
        .resize(600)
        .webp()
        .toBuffer();
      const page = Buffer.from(HTML.padEnd(HTML.length + (HTML.length & 1)));
      const head = Buffer.from('HTML\0\0\0\0', 'latin1');
      head.writeUInt32LE(page.length, 4);
      const bytes = Buffer.concat([webp, head, page]);
      bytes.writeUInt32LE(bytes.length - 8, 4);
      return { name: 'photo.webp', type: 'image/webp', bytes };
    },
  },
];

/** Those that carry an archive, or are no picture that is accepted. */
export const REFUSED_POLYGLOTS = [
  { name: 'a JPEG and a ZIP archive', make: zipBehindJpeg, status: 422, code: 'MALWARE_FOUND' },
  {
    name: 'a PNG and a JAR',
    make: async () => {
      const { bytes } = await zipBehindJpeg();
      return pngFileOf(Buffer.concat([await pngPhoto(), bytes.subarray(endOfJpeg(bytes))]));
    },
    status: 422,
    code: 'MALWARE_FOUND',
  },
  {
    name: 'a GIF and a JAR',
    make: async () => {
      const { bytes } = await zipBehindJpeg();
      const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
      return jpeg(Buffer.concat([gif, bytes.subarray(endOfJpeg(bytes))]));
    },
    status: 415,
    code: 'UNSUPPORTED_TYPE',
  },
] as const;

/** Other types under the name and claim of a JPEG, beside those of `test/support/hostile.ts`. */
export const WRONG_TYPES: readonly (readonly [what: string, begins: string])[] = [
  ['PostScript', '%!PS-Adobe-3.0\n(/etc/passwd) (r) file pop showpage\n'],
  [
    'an MVG drawing',
    "push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'url(https://x/)'\npop graphic-context\n",
  ],
  [
    'an MSL script',
    '<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/x"/></image>',
  ],
  ['an SVG behind a byte order mark', '\u{feff}<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ['a BMP', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0'],
  ['an icon', '\0\0\x01\0\x01\0\x01\x01\0\0\x01\0\x18\0\x30\0\0\0\x16\0\0\0'],
  ['a JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 '],
  ['a Photoshop document', '8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x09\0\0\0\x09\0\x08\0\x03'],
  ['an MP4', '\0\0\0\x18ftypmp42\0\0\0\0isommp42\0\0\0\x08mdat'],
  ['a JPEG that begins one byte late', '\0\xff\xd8\xff\xe0\0\x10JFIF\0'],
];

export function wrongType(begins: string): UploadFile {
  return jpeg(Buffer.concat([Buffer.from(begins, 'latin1'), Buffer.alloc(200, 0x20)]));
}

function jpegPhoto(): Promise<Buffer> {
  return readFile(photoPath('waterfall.jpg'));
}

async function pngPhoto(): Promise<Buffer> {
  return sharp(await jpegPhoto())
    .resize(600)
    .png()
    .toBuffer();
}

function jpeg(bytes: Buffer): UploadFile {
  return { name: 'photo.jpg', type: 'image/jpeg', bytes };
}

function pngFileOf(bytes: Buffer): UploadFile {
  return { name: 'photo.png', type: 'image/png', bytes };
}
