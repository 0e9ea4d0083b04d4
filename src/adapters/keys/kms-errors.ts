import { StorageError } from '#src/domain/errors.ts';

/** What a ciphertext that does not belong to key and context is answered with (Decrypt and ReEncrypt, API reference 2025). */
const NOT_OURS = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'NotFoundException',
  'InvalidKeyUsageException',
  'InvalidArnException',
  'ValidationException',
]);

/**
 * An error of KMS as one of ours. `isUnwrap`: of a call that opens what was wrapped before.
 *
 * FORBIDDEN when key, context and ciphertext do not belong together, or the key is on its way out (KMSInvalidState: pending
 * deletion); KEYS_UNAVAILABLE for all that an operator or time can mend: a disabled key, missing permissions, throttling
 * beyond the SDK's own retries, no answer. Details name the key and KMS's own error, never context or bytes.
 */
export function classifyKmsError(error: unknown, keyId: string, isUnwrap: boolean): StorageError {
  if (error instanceof StorageError) return error;
  const name = error instanceof Error ? error.name : 'unknown';
  const options = { details: { keyId, reason: name }, cause: error };
  if (name === 'AlreadyExistsException') return new StorageError('ALREADY_EXISTS', undefined, options);
  const isGone = name === 'KMSInvalidStateException';
  if (isUnwrap && (isGone || NOT_OURS.has(name)))
    return new StorageError('FORBIDDEN', 'The key cannot be unwrapped.', options);
  if (isUnwrap || !NOT_OURS.has(name)) return new StorageError('KEYS_UNAVAILABLE', undefined, options);
  return new StorageError('INVALID_CONFIGURATION', `KMS refuses the key ${keyId}: ${name}.`, options);
}
