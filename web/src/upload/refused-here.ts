/** Why a file was not even sent. */
export type LocalCode = 'FILE_TOO_LARGE' | 'EMPTY_FILE' | 'HEIC_TOO_LARGE' | 'CANNOT_SCALE';

/** A file refused by this page, before a byte of it was sent. */
export class RefusedHere extends Error {
  override readonly name = 'RefusedHere';
  readonly code: LocalCode;

  constructor(code: LocalCode) {
    super(code);
    this.code = code;
  }
}
