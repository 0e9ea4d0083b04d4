/** Longest content of one JPEG segment: its length field has 16 bits and counts itself. */
const LONGEST_SEGMENT = 0xffff - 2;
const COMMENT = 0xfe;

/**
 * The JPEG with comment segments put in front of its frame, behind its EXIF: other bytes, same picture.
 * Content longer than one segment holds is spread over as many as it takes.
 */
export function withComment(jpeg: Buffer, content: Buffer): Buffer {
  const at = endOfApplicationSegments(jpeg);
  return Buffer.concat([jpeg.subarray(0, at), ...commentSegments(content), jpeg.subarray(at)]);
}

function* commentSegments(content: Buffer): Generator<Buffer> {
  for (let from = 0; from < content.length; from += LONGEST_SEGMENT) {
    const part = content.subarray(from, from + LONGEST_SEGMENT);
    const head = Buffer.from([0xff, COMMENT, 0, 0]);
    head.writeUInt16BE(part.length + 2, 2);
    yield head;
    yield part;
  }
}

function endOfApplicationSegments(jpeg: Buffer): number {
  if (jpeg.readUInt16BE(0) !== 0xffd8) throw new Error('Expected a JPEG');
  let at = 2;
  while (jpeg[at] === 0xff && ((jpeg[at + 1] ?? 0) & 0xf0) === 0xe0) at += 2 + jpeg.readUInt16BE(at + 2);
  return at;
}

/**
 * The offset just behind the end-of-image marker, or undefined where there is none.
 * Embedded thumbnails have markers of their own inside a segment, so segments are stepped over by length.
 */
export function endOfJpeg(jpeg: Buffer): number | undefined {
  let at = 2;
  while (at + 1 < jpeg.length) {
    if (jpeg[at] !== 0xff) {
      at = jpeg.indexOf(0xff, at); // entropy-coded data runs to the next marker
      if (at < 0) return undefined;
      continue;
    }
    const marker = jpeg[at + 1] ?? 0;
    if (marker === 0xd9) return at + 2;
    if (marker === 0xff)
      at += 1; // fill byte
    else if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7))
      at += 2; // no length
    else if (at + 3 < jpeg.length) at += 2 + jpeg.readUInt16BE(at + 2);
    else return undefined;
  }
  return undefined;
}
