/**
 * Kinds of data that an upload may carry beside the picture it shows. Each is told as there or not there; what it says
 * is never kept.
 *
 * gps: coordinates · placeNames: town, province, country in words · camera: make, model, lens · serialNumbers: of camera
 * or lens, unique ids of a picture · dates: when it was taken or changed · people: author, owner, copyright, persons
 * shown · comment: captions, comments, text chunks · exif, xmp, iptc, makerNotes, icc: a block of that format ·
 * iccText: sentences in a colour profile · thumbnail: a small copy · secondPictures: further whole pictures (previews,
 * the unedited shot) · gainMap: brightness for HDR screens · auxiliaryImages: depth, mattes and the like · video: of a
 * motion photo · frames: of an animation, behind the first · other: what none of these names.
 */
export const METADATA_KINDS = [
  'gps',
  'placeNames',
  'camera',
  'serialNumbers',
  'dates',
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
