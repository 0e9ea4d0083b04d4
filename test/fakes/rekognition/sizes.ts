export interface Size {
  readonly width: number;
  readonly height: number;
}

/** From the first frame header (ITU-T T.81, B.2.2); null for what is no JPEG. */
export function jpegSize(bytes: Buffer): Size | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xff_d8) return null;
  let at = 2;
  while (at + 9 < bytes.length) {
    const marker = bytes.readUInt16BE(at);
    const isFrame = marker >= 0xff_c0 && marker <= 0xff_cf && ![0xff_c4, 0xff_c8, 0xff_cc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/** From its first chunk (PNG, 11.2.2); null for what is no PNG. */
export function pngSize(bytes: Buffer): Size | null {
  const isPng = bytes.length >= 24 && bytes.subarray(0, 8).toString('latin1') === '\u0089PNG\r\n\u001A\n';
  return isPng ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : null;
}
