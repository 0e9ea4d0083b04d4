/** A wrapped key as it is stored in a row. */
export interface WrappedKey {
  /** Which wrapping key was used, so that rotation can find what to re-wrap. */
  readonly keyId: string;
  readonly ciphertext: Uint8Array;
}

/** A wrapping key of the vault. */
export interface WrappingKey {
  readonly id: string;
  readonly createdAt: Date;
  /** What is wrapped now is wrapped with this one. */
  readonly isCurrent: boolean;
}

/** What a vault can do. */
export interface KeyVaultCapabilities {
  /** `rotate` and `destroy` work: wrapping keys end, and with them what old backups hold. */
  readonly supportsRotation: boolean;
  /** Days from `destroy` until the key is gone for good; nobody can use it meanwhile, an administrator can bring it back. */
  readonly destroyDelayDays: number;
}

/**
 * Wraps and unwraps data keys. `context` is bound to the result: another one does not unwrap. KEYS_UNAVAILABLE from every
 * function while the vault does not answer or refuses us.
 */
export interface KeyVault {
  readonly name: string;
  readonly capabilities: KeyVaultCapabilities;
  wrap(plaintext: Uint8Array, context: Readonly<Record<string, string>>): Promise<WrappedKey>;
  /** FORBIDDEN when key, context or ciphertext do not belong together, or the wrapping key was destroyed. */
  unwrap(wrapped: WrappedKey, context: Readonly<Record<string, string>>): Promise<Uint8Array>;
  /** The same key wrapped with the current wrapping key. Errors as `unwrap`. */
  rewrap(wrapped: WrappedKey, context: Readonly<Record<string, string>>): Promise<WrappedKey>;
  /** Wrapping keys that still unwrap, oldest first; one of them is current. */
  wrappingKeys(): Promise<readonly WrappingKey[]>;
  /** Makes a wrapping key, which is current from then on for every process. UNSUPPORTED without the capability. */
  rotate(): Promise<WrappingKey>;
  /** Ends a wrapping key: what it wrapped is not unwrapped any more. CONFLICT for the current one; a missing one is a success. */
  destroy(keyId: string): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
