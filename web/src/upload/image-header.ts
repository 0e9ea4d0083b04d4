export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'webp' | 'heif';
  /** As stored, before any rotation; null where this page does not read them (HEIC, AVIF, odd files). */
  readonly width: number | null;
  readonly height: number | null;
}

/** How much of a file `readImageHeader` needs: phones put up to a few hundred kB of metadata before the size. */
export const HEADER_BYTES = 512 * 1024;

/**
 * Format and size from the first bytes of a file, without decoding it: a photo of 200 megapixels must
 * not be decoded to learn that it is too large. Null when the bytes are no photo this page knows.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 30) return null;
  if (view.getUint16(0) === 0xffd8) return { format: 'jpeg', ...readJpegSize(view) };
  if (view.getUint32(0) === 0x89504e47)
    return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) };
  if (text(view, 0) === 'RIFF' && text(view, 8) === 'WEBP') return { format: 'webp', ...readWebpSize(view) };
  if (text(view, 4) === 'ftyp') return { format: 'heif', ...UNKNOWN };
  return null;
}

interface Size {
  readonly width: number | null;
  readonly height: number | null;
}
const UNKNOWN: Size = { width: null, height: null };

/** Walks the segments to the start-of-frame marker (ITU T.81, table B.1), which holds the size. */
function readJpegSize(view: DataView): Size {
  let at = 2;
  while (at + 9 < view.byteLength) {
    if (view.getUint8(at) !== 0xff) return UNKNOWN;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    if (marker === 0xff) at += 1;
    else if (marker >= 0xd0 && marker <= 0xd7) at += 2;
    else at += 2 + view.getUint16(at + 2);
  }
  return UNKNOWN;
}

/** The three kinds of first chunk (RFC 9649): lossy, lossless, extended. */
function readWebpSize(view: DataView): Size {
  const chunk = text(view, 12);
  if (chunk === 'VP8X') return { width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 };
  if (chunk === 'VP8 ')
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (chunk === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return UNKNOWN;
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}
function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
