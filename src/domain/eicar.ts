export const EICAR_NAME = 'Eicar-Test-Signature';

const BYTES = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
  'latin1',
);

/**
 * The test file that every virus scanner finds, and that does nothing: 68 bytes (eicar.org). Kept in halves: whole, this
 * source would itself be found.
 */
export function eicarFile(): Buffer {
  return Buffer.from(BYTES);
}

/** Whether the EICAR test file lies anywhere in these bytes. */
export function hasEicar(bytes: Buffer): boolean {
  return bytes.includes(BYTES);
}
