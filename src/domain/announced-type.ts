/** Names in use for one format: registered, historical, and for sequences of the same container. */
const FORMAT_OF: ReadonlyMap<string, string> = new Map([
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/pjpeg', 'jpeg'],
  ['image/png', 'png'],
  ['image/webp', 'webp'],
  ['image/heic', 'heic'],
  ['image/heif', 'heic'],
  ['image/heic-sequence', 'heic'],
  ['image/heif-sequence', 'heic'],
  ['image/avif', 'avif'],
]);
/** Says nothing about the bytes: what browsers send for a file whose type they do not know. */
const UNKNOWN: ReadonlySet<string> = new Set(['', 'application/octet-stream']);

/** Whether bytes of `format` are what a media type announced; null and unknown types announce nothing. */
export function isAnnounced(format: string, type: string | null): boolean {
  const bare = (type ?? '').replace(/;.*$/s, '').trim().toLowerCase();
  return UNKNOWN.has(bare) || FORMAT_OF.get(bare) === format;
}
