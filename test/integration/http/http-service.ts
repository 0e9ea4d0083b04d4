import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createMemoryRateLimiter } from '#src/adapters/rate-limiter/memory.ts';
import type { HttpDeps } from '#src/http/deps.ts';
import type { RequestRates } from '#src/http/rate-limits.ts';
import { createHttpServer, type HttpServer } from '#src/http/server.ts';
import { doubles, manualEvents } from './service-doubles.ts';

export interface TestService {
  readonly url: string;
  readonly http: HttpServer;
  readonly directory: string;
  /** Everything that was logged. */
  readonly log: string[];
  token(sub: string, roles?: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** The HTTP service on a free port over the given services. */
export async function startHttp(change: Partial<HttpDeps> = {}): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'localex-http-'));
  const log: string[] = [];
  const service: { url: string } = { url: 'http://127.0.0.1' };
  const http = await createHttpServer({
    ...doubles(),
    events: manualEvents().events,
    edge: null,
    cdnOrigin: () => service.url,
    auth: {
      jwksUrl: null,
      issuer: null,
      audience: null,
      devTokens: true,
      devTokenSeconds: 3600,
      devSigningKey: Buffer.alloc(32, 1),
    },
    limits: { maxFileSize: 1024 * 1024, concurrentUploads: 4, bodyTimeoutMs: 10_000 },
    rates: testRates(),
    corsOrigins: [],
    uploadLocks: { take: async () => async () => undefined },
    webDir: null,
    signedStore: null,
    ready: async () => [{ name: 'database', ok: true }],
    log: pino({ level: 'debug' }, { write: (text: string) => void log.push(text) }),
    publicUrl: () => service.url,
    trustProxy: false,
    production: false,
    ...change,
  });
  service.url = await http.listen(0, '127.0.0.1');

  return {
    url: service.url,
    http,
    directory,
    log,
    async token(sub, roles = ['seller']) {
      const response = await http.app.inject({ method: 'POST', url: '/dev/token', payload: { sub, roles } });
      const { token } = response.json<{ token: string }>();
      return token;
    },
    async close() {
      await http.close(1_000);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Limits that no test comes near, but for those that it names. */
export function testRates(change: Partial<RequestRates> = {}): RequestRates {
  const limiter = createMemoryRateLimiter();
  return {
    limiters: { requests: limiter, uploads: limiter },
    requestsPerMinute: { user: 10_000, address: 10_000 },
    costlyPerMinute: 10_000,
    uploadsPerMinute: 10_000,
    uploadBytesPerHour: 1024 ** 4,
    ...change,
  };
}
