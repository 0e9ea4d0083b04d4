/** A wrapped key as it is stored in a row. */
export interface WrappedKey {
  /** Which wrapping key was used, so that rotation can find what to re-wrap. */
  readonly keyId: string;
  readonly ciphertext: Uint8Array;
}

/** Wraps and unwraps data keys. `context` is bound to the result: another one does not unwrap. */
export interface KeyVault {
  readonly name: string;
  wrap(plaintext: Uint8Array, context: Readonly<Record<string, string>>): Promise<WrappedKey>;
  /** FORBIDDEN when key, context or ciphertext do not belong together. */
  unwrap(wrapped: WrappedKey, context: Readonly<Record<string, string>>): Promise<Uint8Array>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
