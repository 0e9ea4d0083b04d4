import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Clock } from '../../../ports/clock.ts';
import type { Encryption } from './encryption.ts';
import { type KnownHashes, spareHashing } from './payload-hash.ts';
import { createRequests, type Patience, type Request } from './requests.ts';

export interface BucketOptions {
  readonly bucket: string;
  readonly region: string;
  /** Another server than Amazon's, for the same protocol. */
  readonly endpoint: string | null;
  readonly forcePathStyle: boolean;
  /** Whether bodies carry checksums wherever the protocol knows them, or only where it demands them. */
  readonly checksums: 'when-supported' | 'when-required';
  readonly encryption: Encryption;
  /** The SDK's default chain unless given. */
  readonly credentials?: S3ClientConfig['credentials'];
  readonly patience: Patience;
  /** Signs requests until the server has told its own time. */
  readonly clock: Clock;
}

/** One bucket and the connections to it. */
export interface Bucket {
  readonly name: string;
  readonly region: string;
  readonly endpoint: string | null;
  /** Everything but bodies of objects. */
  readonly client: S3Client;
  /**
   * Bodies of objects, over connections of their own: readers who take their time hold one each, and must not keep
   * uploads from theirs.
   */
  readonly bodies: S3Client;
  readonly request: Request;
  /** Of bodies that are about to be sent. */
  readonly knownHashes: KnownHashes;
  readonly patience: Patience;
  readonly encryption: Encryption;
  readonly checksums: BucketOptions['checksums'];
  readonly clock: Clock;
  close(): void;
}

/** Requests at once that wait for their answer; the same for connections without bodies. */
const MAX_IN_FLIGHT = 64;
const MAX_BODIES = 256;
const CONNECT_MS = 3_000;
/** Until the answer begins. S3 answers within a second; a part of an upload has to be sent first, a copy to be made. */
const ANSWER_MS = 30_000;

export function openBucket(options: BucketOptions): Bucket {
  const { patience, encryption, clock } = options;
  const client = createClient(options, MAX_IN_FLIGHT);
  const knownHashes: KnownHashes = new WeakMap();
  spareHashing(client, knownHashes);
  const bodies = createClient(options, MAX_BODIES);
  return {
    name: options.bucket,
    region: options.region,
    endpoint: options.endpoint,
    client,
    bodies,
    knownHashes,
    request: createRequests({ maxInFlight: MAX_IN_FLIGHT }),
    patience,
    encryption,
    checksums: options.checksums,
    clock,
    close() {
      client.destroy();
      bodies.destroy();
    },
  };
}

/** How a request of the SDK is given a signal that may not be there. */
export function sending(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { abortSignal: signal };
}

function createClient(options: BucketOptions, maxSockets: number): S3Client {
  const { region, endpoint, forcePathStyle, credentials, clock } = options;
  const checksums = options.checksums === 'when-supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const agent = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
  return new S3Client({
    region,
    forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // `requests.ts` repeats.
    maxAttempts: 1,
    // The SDK would open a new connection for every body of 2 MiB or more, to wait for its "100 Continue".
    expectContinueHeader: false,
    followRegionRedirects: false,
    systemClockOffset: clock.now().getTime() - Date.now(),
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      // Idle for want of a reader is no failure; `answer-body.ts` tells stalled answers.
      socketTimeout: 0,
    }),
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
}
