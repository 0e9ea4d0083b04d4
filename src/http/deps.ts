import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ObjectKey } from '#src/domain/keys.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import type { KeysService } from '#src/services/keys.service.ts';
import type { AuditService } from '#src/services/audit.service.ts';
import type { FileEvents, FileManagementService, ItemsService } from '#src/services/contracts.ts';
import type { ReviewService } from '#src/services/review/contracts.ts';
import type { CopiesService } from '#src/services/copies.service.ts';
import type { UsageService } from '#src/services/usage.service.ts';
import type { LifecycleService } from '#src/services/lifecycle.service.ts';
import type { ModerationService } from '#src/services/moderation.service.ts';
import type { RunsService } from '#src/services/runs.service.ts';
import type { SearchService } from '#src/services/search.service.ts';
import type { ScannersService } from '#src/services/scanners.service.ts';
import type { RequestRates } from './rate-limits.ts';

export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface AuthOptions {
  /** Where the public keys of the identity provider are; null in development. */
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Whether `POST /dev/token` gives tokens to anybody. Never in production. */
  readonly devTokens: boolean;
  /** How long a development token works. */
  readonly devTokenSeconds: number;
  /** HS256 key of development tokens; null where they are not accepted. */
  readonly devSigningKey: Uint8Array | null;
}

export interface HttpLimits {
  /** Bytes of one file. */
  readonly maxFileSize: number;
  /** Files being received at one time in this process; more wait their turn, then are told BUSY. */
  readonly concurrentUploads: number;
  /** A request that has not arrived whole after so long is cut off. */
  readonly bodyTimeoutMs: number;
}

/** What a signed upload form allows, once its signature was found to be good. */
export interface PostPolicy {
  readonly key: string;
  readonly contentType: string;
  readonly maxBytes: number;
}

/** Whoever answers `/cdn/` before this service is asked. */
export interface EdgeHandler {
  handle(req: IncomingMessage, res: ServerResponse): boolean;
}

/** Exclusive locks on resumable uploads, over all processes that take them. */
export interface UploadLocks {
  /**
   * Waits for the lock and resolves to what gives it back. `release` is called when somebody else wants it. Errors:
   * ABORTED by the signal, BUSY.
   */
  take(id: string, signal: AbortSignal, release: () => void): Promise<() => Promise<void>>;
}

/** How a store without URLs of its own has them served here. */
export interface SignedStore {
  readonly store: ObjectStore;
  /** Checks a signed form; throws FORBIDDEN. */
  readonly verifyPostForm: (fields: Readonly<Record<string, string>>) => PostPolicy;
  /** The key that a signed URL opens; throws FORBIDDEN. */
  readonly verifyGetUrl: (request: { key: string; expires: string; signature: string }) => ObjectKey;
}

export interface HttpDeps {
  readonly files: FileManagementService;
  readonly items: ItemsService;
  readonly review: ReviewService;
  readonly audit: AuditService;
  readonly keys: KeysService;
  readonly scanners: ScannersService;
  readonly runs: RunsService;
  readonly search: SearchService;
  readonly moderation: ModerationService;
  readonly copies: CopiesService;
  readonly lifecycle: LifecycleService;
  readonly usage: UsageService;
  readonly events: FileEvents;
  /** The local edge; null when a CDN of its own stands in front of the store. */
  readonly edge: EdgeHandler | null;
  /** Origin that photos come from, for the content security policy. Asked late, as the port may be. */
  readonly cdnOrigin: () => string;
  readonly auth: AuthOptions;
  readonly limits: HttpLimits;
  readonly rates: RequestRates;
  /** Origins whose pages may call the API beside its own. */
  readonly corsOrigins: readonly string[];
  readonly uploadLocks: UploadLocks;
  /** The built web app; null when there is none. */
  readonly webDir: string | null;
  /** Null when signed forms and URLs go to the bucket itself. */
  readonly signedStore: SignedStore | null;
  /** The things the service needs, and whether each of them answers. */
  readonly ready: () => Promise<readonly Readiness[]>;
  readonly log: FastifyBaseLogger;
  /** Absolute base of this service's own URLs, without a trailing slash. */
  readonly publicUrl: () => string;
  /** How many proxies in front are believed when they say X-Forwarded-*. */
  readonly trustProxy: false | number;
  readonly production: boolean;
}

export interface Readiness {
  readonly name: string;
  readonly ok: boolean;
  /** Somebody has to look after it, and the service does the rest of its work all the same. */
  readonly degraded?: boolean;
  /** For the log only. */
  readonly error?: string;
}
