import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { verifyGetUrl, verifyPostForm } from '../adapters/object-store/filesystem.ts';
import type { Config } from '../config/index.ts';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { systemClock } from '../ports/clock.ts';
import { type Composition, compose } from './compose.ts';
import { checkReadiness } from './readiness.ts';
import { type ShutdownPhase, shutDown } from './shutdown.ts';
import { startWorker } from './worker.ts';

const WEB_DIR = fileURLToPath(new URL('../../web/dist', import.meta.url));

export interface RunningApp {
  readonly url: string;
  /** Closes everything in phases; true when all ended in time. */
  stop(): Promise<boolean>;
}

/** Builds everything and starts what the roles of the configuration name. */
export async function start(config: Config, log: Logger): Promise<RunningApp> {
  const { host, roles } = config.server;
  const port = config.server.port === 0 ? await freePort(host) : config.server.port;
  const publicUrl = config.server.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const parts = await compose(config, publicUrl, log);
  const phases: ShutdownPhase[] = [...parts.phases];
  try {
    const http =
      roles.includes('http') || roles.includes('edge') ? await makeHttp(config, publicUrl, parts, log) : null;
    if (roles.includes('worker')) {
      const worker = await startWorker(config, parts, http);
      phases.unshift({ name: 'schedules', limitMs: 5000, run: () => worker.close() });
    }
    if (http !== null) {
      const deadlineMs = config.server.shutdownMs;
      phases.unshift({ name: 'http', limitMs: deadlineMs + 1000, run: () => http.close(deadlineMs) });
      await http.listen(port, host);
    }
    await writeFile(
      join(config.server.dataDir, 'service.json'),
      `${JSON.stringify({ url: publicUrl, pid: process.pid })}\n`,
    );
    return { url: publicUrl, stop: () => shutDown(phases, log) };
  } catch (error) {
    await shutDown(phases, log);
    throw error;
  }
}

async function makeHttp(
  config: Config,
  publicUrl: string,
  parts: Composition,
  log: Logger,
): Promise<HttpServer> {
  const { auth, limits, server } = config;
  const signer = { signingKey: parts.secrets('store-urls'), clock: systemClock };
  return createHttpServer({
    files: parts.files,
    items: parts.items,
    review: parts.review,
    events: parts.events,
    edge: server.roles.includes('edge') ? parts.cdn : null,
    cdnOrigin: () => new URL(parts.cdn.url('')).origin,
    auth: {
      jwksUrl: auth.jwksUrl,
      issuer: auth.issuer,
      audience: auth.audience,
      devTokens: auth.devTokens,
      devTokenSeconds: auth.devTokenSeconds,
      devSigningKey: auth.devTokens ? parts.secrets('development-tokens') : null,
    },
    limits: {
      maxFileSize: config.s3.maxFileSize,
      uploadsPerMinute: limits.uploadsPerMinute,
      concurrentUploads: limits.concurrentUploads,
      bodyTimeoutMs: limits.bodyTimeoutMs,
    },
    tusDir: parts.tusDir,
    webDir: existsSync(WEB_DIR) ? WEB_DIR : null,
    signedStore: {
      store: parts.store,
      verifyPostForm: (fields) => verifyPostForm(fields, signer),
      verifyGetUrl: (request) => verifyGetUrl(request, signer),
    },
    ready: () => checkReadiness(parts),
    log,
    publicUrl: () => publicUrl,
    trustProxy: server.trustProxy,
    production: server.production,
  });
}

/** A port that nobody listens on, for PORT=0: URLs are needed before the service listens. */
async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, host, resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return address !== null && typeof address === 'object' ? address.port : 0;
}
