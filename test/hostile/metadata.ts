import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { UploadFile } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';

const WIDTH = 320;
const HEIGHT = 200;

export interface MetadataAttack {
  readonly name: string;
  readonly make: () => Promise<UploadFile>;
  readonly payload: readonly string[];
  /** As a person is to see it. */
  readonly size: readonly [width: number, height: number];
}

const upright = [WIDTH, HEIGHT] as const;
const turned = [HEIGHT, WIDTH] as const;
const script = '"><script>alert(1)</script>';
const entities = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${Array.from(
  { length: 12 },
  (_, index) => `<!ENTITY ${level(index + 1)} "${`&${level(index)};`.repeat(10)}">`,
).join('')}<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&${level(12)};&e;</x>`;

/** Each is a photo that decodes; what lies around its pixels is the attack. */
export const METADATA_ATTACKS: readonly MetadataAttack[] = [
  {
    name: 'a script in every text of its EXIF',
    payload: ['<script>', 'alert(1)'],
    size: upright,
    make: async () =>
      file(
        await (await picture())
          .withExif({
            IFD0: {
              Make: script,
              Model: script,
              Artist: script,
              ImageDescription: script,
              Copyright: script,
            },
            IFD2: { UserComment: script, LensModel: script },
          })
          .jpeg()
          .toBuffer(),
      ),
  },
  {
    name: 'entities in its XMP that would grow to ten terabytes, and a local file',
    payload: ['ENTITY', 'passwd'],
    size: upright,
    make: async () => file(withSegment(await plain(), 0xe1, `http://ns.adobe.com/xap/1.0/\0${entities}`)),
  },
  {
    name: 'EXIF directories that lead to each other',
    payload: ['Exif\0\0'],
    size: turned,
    make: async () => file(withSegment(await plain(), 0xe1, exif(loop()))),
  },
  {
    name: 'an EXIF directory of 65,535 fields, each 4 GB long',
    payload: ['Exif\0\0'],
    size: upright,
    make: async () => file(withSegment(await plain(), 0xe1, exif(endless()))),
  },
  {
    name: 'two EXIF blocks that turn it differently: the first counts',
    payload: ['Exif\0\0'],
    size: turned,
    make: async () => {
      const once = withSegment(await plain(), 0xe1, exif(orientation(1)));
      return file(withSegment(once, 0xe1, exif(orientation(6))));
    },
  },
  {
    name: 'another orientation in its XMP than in its EXIF: EXIF counts',
    payload: ['tiff:Orientation'],
    size: turned,
    make: async () => {
      const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>`;
      const both = withSegment(await plain(), 0xe1, `http://ns.adobe.com/xap/1.0/\0${xmp}`);
      return file(withSegment(both, 0xe1, exif(orientation(6))));
    },
  },
  {
    name: 'an orientation of 200',
    payload: ['Exif\0\0'],
    size: upright,
    make: async () => file(withSegment(await plain(), 0xe1, exif(orientation(200)))),
  },
];

function level(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

async function picture() {
  return sharp(await readFile(photoPath('slings.webp'))).resize(WIDTH, HEIGHT, { fit: 'fill' });
}

async function plain(): Promise<Buffer> {
  return (await picture()).jpeg().toBuffer();
}

function file(bytes: Buffer): UploadFile {
  return { name: 'photo.jpg', type: 'image/jpeg', bytes };
}

/** The JPEG with an application segment right behind its start. */
function withSegment(jpeg: Buffer, marker: number, content: string): Buffer {
  const body = Buffer.from(content, 'latin1');
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

function exif(block: Buffer): string {
  return `Exif\0\0${block.toString('latin1')}`;
}

function orientation(value: number): Buffer {
  return tiff([[0x0112, 3, 1, value << 16]], 0);
}

/** Orientation 6, and pointers of every kind back to the first directory. */
function loop(): Buffer {
  const back = [0x8769, 0x8825, 0xa005, 0x014a].map((tag): Entry => [tag, 4, 1, 8]);
  return tiff([[0x0112, 3, 1, 6 << 16], ...back], 8);
}

function endless(): Buffer {
  const bytes = tiff([[0x010f, 2, 0xffffffff, 0xfffffff0]], 0xffffffff);
  bytes.writeUInt16BE(0xffff, 8);
  return Buffer.concat([bytes, Buffer.alloc(60_000, bytes.subarray(10, 22))]);
}

type Entry = readonly [tag: number, type: number, count: number, value: number];

/** One directory, big endian; a short value stands in the upper half of its four bytes. */
function tiff(entries: readonly Entry[], next: number): Buffer {
  const bytes = Buffer.alloc(10 + entries.length * 12 + 4);
  bytes.write('MM\0*', 0, 'latin1');
  bytes.writeUInt32BE(8, 4);
  bytes.writeUInt16BE(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + index * 12;
    bytes.writeUInt16BE(tag, at);
    bytes.writeUInt16BE(type, at + 2);
    bytes.writeUInt32BE(count, at + 4);
    bytes.writeUInt32BE(value >>> 0, at + 8);
  }
  bytes.writeUInt32BE(next, 10 + entries.length * 12);
  return bytes;
}
