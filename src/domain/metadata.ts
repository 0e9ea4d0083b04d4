/**
 * Kinds of data that an upload may carry beside the picture it shows. Each is told as there or not there; what it says
 * is never kept.
 *
 * gps: coordinates · camera: make, model, lens · dates: when it was taken or changed · serialNumbers: of camera or lens,
 * unique ids of a picture · placeNames: town, province, country in words · people: author, owner, copyright, persons
 * shown · comment: captions, comments, text chunks · exif, xmp, iptc, makerNotes, icc: a block of that format ·
 * iccText: sentences in a colour profile · thumbnail: a small copy · secondPictures: further whole pictures (previews,
 * the unedited shot) · gainMap: brightness for HDR screens · auxiliaryImages: depth, mattes and the like · video: of a
 * motion photo · frames: of an animation, behind the first · other: what none of these names.
 */
export const METADATA_KINDS = [
  'gps',
  'camera',
  'dates',
  'serialNumbers',
  'placeNames',
  'people',
  'comment',
  'exif',
  'xmp',
  'iptc',
  'makerNotes',
  'icc',
  'iccText',
  'thumbnail',
  'secondPictures',
  'gainMap',
  'auxiliaryImages',
  'video',
  'frames',
  'other',
] as const;
export type MetadataKind = (typeof METADATA_KINDS)[number];

/** What was in an upload, by kind and never by value. */
export type MetadataFindings = Readonly<Record<MetadataKind, boolean>> & {
  /** Bytes after the end of the image. */
  readonly trailingBytes: number;
};

/** As it was noted at the time: a photo of an earlier version has not been asked for every kind of today. */
export type NotedFindings = Partial<MetadataFindings>;

/** What a receipt names as removed. */
export type RemovedKind = MetadataKind | 'trailingBytes';

/** Each kind in plain words, as they stand in a sentence. */
export const METADATA_WORDS: Readonly<Record<RemovedKind, string>> = {
  gps: 'location',
  camera: 'camera details',
  dates: 'dates and times',
  serialNumbers: 'serial numbers',
  placeNames: 'names of places',
  people: 'names of people',
  comment: 'captions and comments',
  exif: 'EXIF block',
  xmp: 'XMP block',
  iptc: 'IPTC block',
  makerNotes: 'maker’s notes',
  icc: 'colour profile',
  iccText: 'texts in the colour profile',
  thumbnail: 'embedded thumbnail',
  secondPictures: 'further pictures',
  gainMap: 'HDR gain map',
  auxiliaryImages: 'depth or other side images',
  video: 'film of a motion photo',
  frames: 'further frames of an animation',
  other: 'other data of cameras or programs',
  trailingBytes: 'data behind the end of the picture',
};

/** What was there, in the order of `METADATA_KINDS`. */
export function presentKinds(findings: NotedFindings): readonly RemovedKind[] {
  return [
    ...METADATA_KINDS.filter((kind) => findings[kind] === true),
    ...((findings.trailingBytes ?? 0) > 0 ? (['trailingBytes'] as const) : []),
  ];
}
