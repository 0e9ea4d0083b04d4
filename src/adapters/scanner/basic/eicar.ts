export const EICAR_NAME = 'Eicar-Test-Signature';

/** The test file's 68 bytes (eicar.org), in halves: whole, this source would itself be found. */
const PATTERN = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
  'latin1',
);

/** Whether the EICAR test file lies anywhere in these bytes. */
export function hasEicar(bytes: Buffer): boolean {
  return bytes.includes(PATTERN);
}
