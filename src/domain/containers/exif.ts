/** What an EXIF block says, as far as anybody here needs it. */
export interface Exif {
  /** 1–8; 1 when it is not given or not valid. */
  readonly orientation: number;
  readonly make: string | null;
  readonly model: string | null;
  /** As written, without a time zone: `2024-05-01T12:30:00`. */
  readonly takenAt: string | null;
  readonly hasGps: boolean;
  /** Degrees, north and east positive; null when the block has no valid position. */
  readonly position: { readonly latitude: number; readonly longitude: number } | null;
  readonly hasThumbnail: boolean;
  readonly hasMakerNotes: boolean;
  /** Whether it says something of that kind, in any field that is known to. */
  readonly says: Readonly<Record<keyof typeof TELLING, boolean>>;
}

/** Fields of Exif 3.0, TIFF 6.0 and Windows that tell of a kind, whichever directory they are in. */
const TELLING = {
  /** Make, Model, LensSpecification, LensMake, LensModel, UniqueCameraModel, CameraFirmware. */
  camera: [0x010f, 0x0110, 0xa432, 0xa433, 0xa434, 0xc614, 0xa439],
  /** ImageUniqueID, BodySerialNumber, LensSerialNumber, CameraSerialNumber. */
  serialNumbers: [0xa420, 0xa431, 0xa435, 0xc62f],
  /** ModifyDate, DateTimeOriginal, CreateDate, their offsets and fractions. */
  dates: [0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292],
  /** Artist, Copyright, CameraOwnerName, XPAuthor, Photographer, ImageEditor. */
  people: [0x013b, 0x8298, 0xa430, 0x9c9d, 0xa437, 0xa438],
  /** ImageDescription, UserComment, XPTitle, XPComment, XPKeywords, XPSubject, ImageTitle. */
  comment: [0x010e, 0x9286, 0x9c9b, 0x9c9c, 0x9c9e, 0x9c9f, 0xa436],
} as const;

interface Field {
  readonly type: number;
  readonly count: number;
  /** Where the value lies. */
  readonly at: number;
}
type Fields = ReadonlyMap<number, Field>;

/** Bytes of a value by TIFF 6.0 field type. */
const SIZES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
};
const MAX_FIELDS = 1000;
const GPS_DATE = 0x001d;
const SPACE = 0x20;

/** Reads a TIFF block as Exif 3.0 lays it out. Broken parts read as absent: phones write them, and nothing depends on them. */
export function readExif(block: Buffer): Exif {
  const tiff = openTiff(block);
  const main = tiff.directory(tiff.first);
  const details = tiff.directory(tiff.number(main.fields.get(0x8769)));
  const gps = tiff.directory(tiff.number(main.fields.get(0x8825))).fields;
  const thumbnail = tiff.directory(main.next).fields;
  const orientation = tiff.number(main.fields.get(0x0112)) ?? 1;
  const says = (tags: readonly number[]) =>
    [main.fields, details.fields].some((fields) => tags.some((tag) => tiff.hasContent(fields.get(tag))));
  return {
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    make: tiff.text(main.fields.get(0x010f)),
    model: tiff.text(main.fields.get(0x0110)),
    takenAt: isoTime(tiff.text(details.fields.get(0x9003)) ?? tiff.text(main.fields.get(0x0132))),
    // 0 is only the version of the block; some phones write the block of a photo without a place, full of zeros.
    hasGps: [...gps].some(([tag, field]) => tag !== 0 && tiff.hasContent(field)),
    position: positionOf(tiff, gps),
    hasThumbnail: thumbnail.has(0x0201) || thumbnail.has(0x0111),
    hasMakerNotes: details.fields.has(0x927c),
    says: {
      camera: says(TELLING.camera),
      serialNumbers: says(TELLING.serialNumbers),
      dates: says(TELLING.dates) || tiff.hasContent(gps.get(GPS_DATE)),
      people: says(TELLING.people),
      comment: says(TELLING.comment),
    },
  };
}

interface Tiff {
  /** Offset of the first directory. */
  readonly first: number | null;
  directory(at: number | null): { readonly fields: Fields; readonly next: number | null };
  number(field: Field | undefined): number | null;
  text(field: Field | undefined): string | null;
  rationals(field: Field | undefined): number[];
  /** Whether a field is there and is more than spaces and zeros, which cameras fill what they leave empty with. */
  hasContent(field: Field | undefined): boolean;
}

function openTiff(block: Buffer): Tiff {
  const isLittle = block.toString('latin1', 0, 2) === 'II';
  const has = (at: number, size: number) => at >= 0 && at + size <= block.length;
  const u16 = (at: number) => (!has(at, 2) ? 0 : isLittle ? block.readUInt16LE(at) : block.readUInt16BE(at));
  const u32 = (at: number) => (!has(at, 4) ? 0 : isLittle ? block.readUInt32LE(at) : block.readUInt32BE(at));
  return {
    first: u16(2) === 42 ? u32(4) : null,
    directory(at) {
      const fields = new Map<number, Field>();
      if (at === null || !has(at, 2)) return { fields, next: null };
      const count = Math.min(u16(at), MAX_FIELDS);
      for (let entry = at + 2; entry < at + 2 + count * 12 && has(entry, 12); entry += 12) {
        const [type, values] = [u16(entry + 2), u32(entry + 4)];
        const bytes = (SIZES[type] ?? 1) * values;
        const value = bytes <= 4 ? entry + 8 : u32(entry + 8);
        if (has(value, bytes)) fields.set(u16(entry), { type, count: values, at: value });
      }
      const next = u32(at + 2 + count * 12);
      return { fields, next: next === 0 ? null : next };
    },
    number: (field) =>
      field === undefined || field.count < 1 ? null : field.type === 3 ? u16(field.at) : u32(field.at),
    text(field) {
      if (field?.type !== 2) return null;
      const value = block.toString('utf8', field.at, field.at + Math.min(field.count, 200));
      return value.split('\0')[0]?.trim() || null;
    },
    rationals(field) {
      if (field?.type !== 5) return [];
      return Array.from(
        { length: Math.min(field.count, 3) },
        (_, index) => u32(field.at + index * 8) / u32(field.at + index * 8 + 4),
      );
    },
    hasContent(field) {
      if (field === undefined) return false;
      const value = block.subarray(field.at, field.at + (SIZES[field.type] ?? 1) * field.count);
      return value.some((byte) => byte !== 0 && byte !== SPACE) && !isEmptyComment(value);
    },
  };
}

/** A UserComment begins with the name of its character code. */
function isEmptyComment(value: Buffer): boolean {
  const code = /^(ASCII|UNICODE|JIS)\0/.exec(value.toString('latin1', 0, 8));
  return code !== null && value.subarray(8).every((byte) => byte === 0 || byte === SPACE);
}

function positionOf(tiff: Tiff, gps: Fields): Exif['position'] {
  const latitude = degrees(tiff.rationals(gps.get(2)), tiff.text(gps.get(1)) === 'S');
  const longitude = degrees(tiff.rationals(gps.get(4)), tiff.text(gps.get(3)) === 'W');
  if (latitude === null || longitude === null) return null;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}

function degrees([whole, minutes = 0, seconds = 0]: readonly number[], isNegative: boolean): number | null {
  if (whole === undefined) return null;
  const value = (whole + minutes / 60 + seconds / 3600) * (isNegative ? -1 : 1);
  return Number.isFinite(value) ? value : null;
}

function isoTime(text: string | null): string | null {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(text ?? '');
  return parts === null ? null : `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}`;
}
