import type { S3Client } from '@aws-sdk/client-s3';

/** SHA-256 of bodies that are about to be sent, in 64 hex digits. */
export type KnownHashes = WeakMap<Uint8Array, string>;

/**
 * Spares the SDK the SHA-256 of a body, which it would compute for the signature: a quarter of the processor time of an
 * upload. It is told where it is known. Else, over TLS, the body is left unsigned, as the SDK itself leaves streams: TLS
 * protects it, and its checksum tells damage. Over plain HTTP every body is signed.
 */
export function spareHashing(client: S3Client, known: KnownHashes): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (isSent(request)) {
        const hash = known.get(request.body) ?? (request.protocol === 'https:' ? UNSIGNED : null);
        if (hash !== null) request.headers['x-amz-content-sha256'] = hash;
      }
      return next(args);
    },
    { step: 'build', name: 'spareHashing' },
  );
}

/** AWS General Reference, "Signature Version 4 for API requests: unsigned payload option", 2025. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

interface Sent {
  readonly protocol: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** A request of the SDK with bytes in memory for a body. */
function isSent(request: unknown): request is Sent {
  return (
    typeof request === 'object' &&
    request !== null &&
    'headers' in request &&
    'protocol' in request &&
    'body' in request &&
    request.body instanceof Uint8Array
  );
}
