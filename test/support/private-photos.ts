import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { MetadataKind } from '#src/domain/metadata.ts';
import type { UploadFile } from './hostile.ts';
import { withComment } from './jpeg.ts';
import { box, gainMapJpeg, motionJpeg, movie, secondPictureJpeg } from './joined-photos.ts';
import { photoPath } from './photos.ts';
import { chunk } from './png.ts';

/** What these photos say, in every place that a format has for it. None of it may ever leave the service. */
export const SECRETS = {
  latitude: '47.376886',
  longitude: '8.541694',
  city: 'Entenhausen',
  make: 'Kamerawerk',
  model: 'Obscura 9000',
  serial: 'SN-4711-0815',
  date: '1999:12:31 23:59:58',
  person: 'Donata Duck',
  comment: 'behind the green door',
} as const;

export interface PrivatePhoto {
  readonly about: string;
  /** What a receipt must name, and nothing that it must not. */
  readonly contains: readonly (MetadataKind | 'trailingBytes')[];
  readonly make: () => Promise<UploadFile>;
}

const { latitude, longitude, city, make, model, serial, date, person, comment } = SECRETS;

const EXIF_PLACE = [
  `-GPSLatitude=${latitude}`,
  '-GPSLatitudeRef=N',
  `-GPSLongitude=${longitude}`,
  '-GPSLongitudeRef=E',
];
const XMP_PLACE = [`-XMP-exif:GPSLatitude=${latitude}`, `-XMP-exif:GPSLongitude=${longitude}`];

/** Each class of hidden data by itself, made by exiftool or by hand. */
export const PRIVATE_PHOTOS: readonly PrivatePhoto[] = [
  {
    about: 'EXIF with place, camera, serial number, dates, names and a thumbnail',
    contains: ['exif', 'gps', 'camera', 'serialNumbers', 'dates', 'people', 'comment', 'thumbnail'],
    make: () =>
      tagged('exif.jpg', 'jpeg', [
        ...EXIF_PLACE,
        `-IFD0:Make=${make}`,
        `-IFD0:Model=${model}`,
        `-ExifIFD:SerialNumber=${serial}`,
        `-ExifIFD:DateTimeOriginal=${date}`,
        `-IFD0:Artist=${person}`,
        `-ExifIFD:UserComment=${comment}`,
        '-ThumbnailImage<=thumbnail.jpg',
      ]),
  },
  {
    about: 'maker notes of a real phone',
    contains: ['exif', 'gps', 'camera', 'dates', 'makerNotes', 'thumbnail', 'other', 'trailingBytes'],
    make: async () => file('notes.jpg', 'image/jpeg', await readFile(photoPath('lumia-820-starfish.jpg'))),
  },
  {
    about: 'XMP with the place, and nowhere else',
    contains: ['xmp', 'gps'],
    make: () => tagged('xmp-place.jpg', 'jpeg', XMP_PLACE),
  },
  {
    about: 'XMP with camera, serial number, date, town, name and description',
    contains: ['xmp', 'camera', 'serialNumbers', 'dates', 'placeNames', 'people', 'comment'],
    make: () =>
      tagged('xmp.jpg', 'jpeg', [
        `-XMP-tiff:Make=${make}`,
        `-XMP-tiff:Model=${model}`,
        `-XMP-aux:SerialNumber=${serial}`,
        `-XMP-xmp:CreateDate=${date}`,
        `-XMP-photoshop:City=${city}`,
        `-XMP-dc:Creator=${person}`,
        `-XMP-dc:Description=${comment}`,
      ]),
  },
  {
    about: 'IPTC with town, name, caption and date',
    contains: ['iptc', 'placeNames', 'people', 'comment', 'dates'],
    make: () =>
      tagged('iptc.jpg', 'jpeg', [
        `-IPTC:City=${city}`,
        `-IPTC:By-line=${person}`,
        `-IPTC:Caption-Abstract=${comment}`,
        `-IPTC:DateCreated=${date}`,
      ]),
  },
  {
    about: 'a thumbnail of Photoshop',
    contains: ['iptc', 'thumbnail'],
    make: () => tagged('photoshop.jpg', 'jpeg', ['-PhotoshopThumbnail<=thumbnail.jpg']),
  },
  {
    about: 'a colour profile with sentences',
    contains: ['icc', 'iccText'],
    make: async () => {
      const pixels = await picture();
      return file('profile.jpg', 'image/jpeg', await pixels.withIccProfile('p3').jpeg().toBuffer());
    },
  },
  {
    about: 'a comment segment',
    contains: ['comment'],
    make: async () => file('comment.jpg', 'image/jpeg', withComment(await jpeg(), Buffer.from(comment))),
  },
  {
    about: 'text behind the end',
    contains: ['trailingBytes'],
    make: async () =>
      file('trailer.jpg', 'image/jpeg', Buffer.concat([await jpeg(), Buffer.from(`${serial} ${comment}`)])),
  },
  {
    about: 'a second picture by MPF',
    contains: ['secondPictures', 'exif', 'camera', 'trailingBytes'],
    make: async () => {
      const second = await tagged('second.jpg', 'jpeg', [`-IFD0:Model=${model}`]);
      const first = await tagged('first.jpg', 'jpeg', [`-IFD0:Model=${model}`]);
      return file('mpf.jpg', 'image/jpeg', secondPictureJpeg(first.bytes, second.bytes));
    },
  },
  {
    about: 'a gain map, as Ultra HDR keeps it',
    contains: ['gainMap', 'secondPictures', 'xmp', 'trailingBytes'],
    make: async () => file('ultra-hdr.jpg', 'image/jpeg', gainMapJpeg(await jpeg(), await small())),
  },
  {
    about: 'the film of a motion photo, with the place in it',
    contains: ['video', 'xmp', 'trailingBytes'],
    make: async () => file('motion.jpg', 'image/jpeg', motionJpeg(await jpeg(), movie(latitude, longitude))),
  },
  {
    about: 'the film of a motion photo in HEIC',
    contains: ['video', 'exif', 'gps', 'camera', 'serialNumbers', 'dates'],
    make: async () => {
      const heic = await readFile(photoPath('galaxy-m31-heath.heic'));
      const film = box('mpvd', movie(latitude, longitude));
      return file('motion.heic', 'image/heic', Buffer.concat([heic, film]));
    },
  },
  {
    about: 'a gain map and a depth map in HEIC',
    contains: [
      'gps',
      'camera',
      'dates',
      'exif',
      'xmp',
      'makerNotes',
      'icc',
      'iccText',
      'gainMap',
      'auxiliaryImages',
    ],
    make: async () =>
      file('portrait.heic', 'image/heic', await readFile(photoPath('iphone-13-pro-pug.heic'))),
  },
  {
    about: 'texts and a time in PNG',
    contains: ['comment', 'dates'],
    make: async () =>
      file(
        'texts.png',
        'image/png',
        withChunks(
          await png(),
          chunk('tEXt', Buffer.from(`Author\0${person}`)),
          chunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.from(comment))])),
          chunk('iTXt', Buffer.from(`Title\0\0\0\0\0${city}`)),
          chunk('tIME', Buffer.from([7, 207, 12, 31, 23, 59, 58])),
        ),
      ),
  },
  {
    about: 'EXIF in PNG',
    contains: ['exif', 'gps', 'camera'],
    make: () => tagged('exif.png', 'png', [...EXIF_PLACE, `-IFD0:Model=${model}`]),
  },
  {
    about: 'EXIF hidden in a packed text of PNG',
    contains: ['exif', 'gps', 'camera'],
    make: async () => {
      const { bytes } = await tagged('source.jpg', 'jpeg', [...EXIF_PLACE, `-IFD0:Model=${model}`]);
      const from = bytes.indexOf('Exif\0\0');
      const exif = bytes.subarray(from, from + bytes.readUInt16BE(from - 2) - 2);
      return file('raw-profile.png', 'image/png', withChunks(await png(), rawProfile('exif', exif)));
    },
  },
  {
    about: 'XMP in PNG, packed',
    contains: ['xmp', 'gps', 'people'],
    make: () => tagged('xmp.png', 'png', [...XMP_PLACE, `-XMP-dc:Creator=${person}`, '-z']),
  },
  {
    about: 'EXIF and XMP in WebP',
    contains: ['exif', 'gps', 'camera', 'xmp', 'people'],
    make: () =>
      tagged('both.webp', 'webp', [...EXIF_PLACE, `-IFD0:Model=${model}`, `-XMP-dc:Creator=${person}`]),
  },
];

const run = promisify(execFile);

/** A photo of that format with tags that exiftool writes; `thumbnail.jpg` lies beside it. */
async function tagged(
  name: string,
  format: 'jpeg' | 'png' | 'webp',
  tags: readonly string[],
): Promise<UploadFile> {
  const folder = await mkdtemp(path.join(tmpdir(), 'localex-tags-'));
  try {
    await writeFile(path.join(folder, 'thumbnail.jpg'), await small());
    await writeFile(path.join(folder, name), await (await picture()).toFormat(format).toBuffer());
    await run('exiftool', ['-overwrite_original', '-q', ...tags, name], { cwd: folder });
    return file(name, `image/${format}`, await readFile(path.join(folder, name)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function file(name: string, type: string, bytes: Buffer): UploadFile {
  return { name, type, bytes };
}

/** Each call another picture: the same bytes twice in a listing would be one photo. */
async function picture() {
  drawn += 1;
  const photo = await sharp(await readFile(photoPath('lake.jpg')))
    .autoOrient()
    .resize(640)
    .modulate({ hue: (drawn * 37) % 360 })
    .toBuffer();
  return sharp(photo);
}
let drawn = 0;

async function jpeg(): Promise<Buffer> {
  return (await picture()).jpeg().toBuffer();
}

async function png(): Promise<Buffer> {
  return (await picture()).png().toBuffer();
}

async function small(): Promise<Buffer> {
  return (await picture()).resize(120).jpeg().toBuffer();
}

/** Chunks behind the header. */
function withChunks(bytes: Buffer, ...chunks: readonly Buffer[]): Buffer {
  const headerEnd = 8 + 25;
  return Buffer.concat([bytes.subarray(0, headerEnd), ...chunks, bytes.subarray(headerEnd)]);
}

/** As ImageMagick keeps a block. */
function rawProfile(kind: string, content: Buffer): Buffer {
  const text = `\n${kind}\n${String(content.length).padStart(8)}\n${content.toString('hex').replaceAll(/.{72}/g, '$&\n')}\n`;
  return chunk(
    'zTXt',
    Buffer.concat([Buffer.from(`Raw profile type ${kind}\0\0`), deflateSync(Buffer.from(text))]),
  );
}
