import type { MetadataFindings } from '#src/domain/metadata.ts';

/** Of a file that is nothing but a picture. */
export const NO_FINDINGS: MetadataFindings = {
  gps: false,
  placeNames: false,
  camera: false,
  serialNumbers: false,
  dates: false,
  people: false,
  comment: false,
  exif: false,
  xmp: false,
  iptc: false,
  makerNotes: false,
  icc: false,
  iccText: false,
  thumbnail: false,
  secondPictures: false,
  gainMap: false,
  auxiliaryImages: false,
  video: false,
  frames: false,
  other: false,
  trailingBytes: 0,
};
