/** As many bytes as tell the family of a photo's format. */
export const FIRST_BYTES = 12;

/**
 * The formats that a file beginning with these bytes may have, by the names of `announced-type.ts`; none when it is no
 * photo that we know. HEIC and AVIF share a container with video: which of them it is stands further inside.
 * Signatures: JPEG ITU T.81 B.1.1.3 with the marker that follows, PNG (third edition) §5.2, RFC 9649 §2.4 for WebP, ISO/IEC
 * 14496-12 §4.3 for the `ftyp` box.
 */
export function formatsByFirstBytes(head: Uint8Array): readonly string[] {
  const text = Buffer.from(head.subarray(0, FIRST_BYTES)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return ['jpeg'];
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return ['png'];
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return ['webp'];
  if (text.startsWith('ftyp', 4)) return ['heic', 'avif'];
  return [];
}
