export const EICAR_NAME = 'Eicar-Test-Signature';

/** The test file's 68 bytes (eicar.org), in halves: whole, this source would itself be found. */
const PATTERN = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
  'latin1',
);

/** Looks for the EICAR test file in bytes that come in pieces, also where it lies across their borders. */
export function createEicarSearch(): { push(chunk: Uint8Array): void; readonly found: boolean } {
  let tail: Uint8Array = new Uint8Array();
  let found = false;
  return {
    push(chunk) {
      if (found) return;
      const border = Buffer.concat([tail, chunk.subarray(0, PATTERN.length - 1)]);
      const whole = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      found = border.includes(PATTERN) || whole.includes(PATTERN);
      const kept = chunk.byteLength < PATTERN.length ? Buffer.concat([tail, chunk]) : chunk;
      tail = kept.slice(Math.max(0, kept.byteLength - (PATTERN.length - 1)));
    },
    get found() {
      return found;
    },
  };
}
