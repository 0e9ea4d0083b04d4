/** What stands behind the end of an image, as far as it can be told. */
export interface Trailer {
  readonly hasPicture: boolean;
  readonly hasVideo: boolean;
  readonly hasGainMap: boolean;
  readonly hasDepth: boolean;
}

const JPEG_START = Buffer.from([0xff, 0xd8, 0xff]);
/** Names by which Ultra HDR, ISO 21496-1, Apple and Samsung mark what they append. */
const GAIN_MAPS = ['ns.adobe.com/hdr-gain-map', 'iso:std:iso:ts:21496', 'hdrgainmap'];
const DEPTHS = ['DepthMap', 'portraiteffectsmatte', 'aux:disparity', 'aux:depth'];

/** Searches the bytes behind an image: they have no structure that all writers share. */
export function readTrailer(bytes: Buffer): Trailer {
  const includes = (texts: readonly string[]) => texts.some((text) => bytes.includes(text, 0, 'latin1'));
  return {
    hasPicture: bytes.includes(JPEG_START),
    hasVideo: hasMovie(bytes),
    hasGainMap: includes(GAIN_MAPS),
    hasDepth: includes(DEPTHS),
  };
}

/** A box `ftyp` of a size that it can have, and a movie's own box somewhere behind it (ISO/IEC 14496-12). */
function hasMovie(bytes: Buffer): boolean {
  const movie = bytes.lastIndexOf('moov');
  for (let at = bytes.indexOf('ftyp', 4); at >= 0 && at < movie; at = bytes.indexOf('ftyp', at + 4)) {
    const size = bytes.readUInt32BE(at - 4);
    if (size >= 16 && size <= 1024) return true;
  }
  return false;
}
