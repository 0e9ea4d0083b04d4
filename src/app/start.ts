import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { verifyGetUrl, verifyPostForm } from '../adapters/object-store/filesystem.ts';
import { addressesOf, type Config } from '../config/index.ts';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { systemClock } from '../ports/clock.ts';
import { type Composition, compose } from './compose.ts';
import { findPort, naming } from './port.ts';
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
  const listens = roles.includes('http') || roles.includes('edge');
  const port =
    listens || config.server.port === 0 ? await findPort(host, config.server.port) : config.server.port;
  const addresses = addressesOf(config, port);
  const { publicUrl } = addresses;
  const parts = await compose(config, addresses, log);
  const phases: ShutdownPhase[] = [...parts.phases];
  try {
    const http = listens ? await makeHttp(config, publicUrl, parts, log) : null;
    if (roles.includes('worker')) {
      const worker = await startWorker(config, parts);
      phases.unshift({ name: 'schedules', limitMs: 5000, run: () => worker.close() });
    }
    if (http !== null) {
      const deadlineMs = config.server.shutdownMs;
      phases.unshift({ name: 'http', limitMs: deadlineMs + 1000, run: () => http.close(deadlineMs) });
      await naming(host, port, () => http.listen(port, host));
    }
    const address = join(config.server.dataDir, 'service.json');
    const written = `${JSON.stringify({ url: publicUrl, pid: process.pid })}\n`;
    await writeFile(address, written);
    phases.unshift({ name: 'address', limitMs: 1000, run: () => removeAddress(address, written) });
    return { url: publicUrl, stop: () => stop(phases, log) };
  } catch (error) {
    await shutDown(phases, log);
    throw error;
  }
}

async function stop(phases: readonly ShutdownPhase[], log: Logger): Promise<boolean> {
  const isClean = await shutDown(phases, log);
  log.info({ clean: isClean }, 'stopped');
  return isClean;
}

/** Another process that has taken the folder over keeps its own. */
async function removeAddress(path: string, written: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch(() => null);
  if (found === written) await rm(path, { force: true });
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
    audit: parts.audit,
    keys: parts.keysService,
    scanners: parts.scanners,
    runs: parts.runs,
    search: parts.search,
    moderation: parts.moderation,
    copies: parts.copies,
    lifecycle: parts.lifecycle,
    usage: parts.usage,
    events: parts.events,
    edge: server.roles.includes('edge') ? parts.edge : null,
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
      concurrentUploads: limits.concurrentUploads,
      bodyTimeoutMs: limits.bodyTimeoutMs,
    },
    rates: {
      limiters: parts.rateLimiters,
      requestsPerMinute: limits.requestsPerMinute,
      costlyPerMinute: limits.costlyPerMinute,
      uploadsPerMinute: limits.uploadsPerMinute,
      uploadBytesPerHour: limits.uploadBytesPerHour,
    },
    corsOrigins: auth.corsOrigins,
    uploadLocks: parts.uploadLocks,
    webDir: existsSync(WEB_DIR) ? WEB_DIR : null,
    signedStore:
      config.storage.driver === 'filesystem'
        ? {
            store: parts.store,
            verifyPostForm: (fields) => verifyPostForm(fields, signer),
            verifyGetUrl: (request) => verifyGetUrl(request, signer),
          }
        : null,
    ready: () => checkReadiness(parts),
    log,
    publicUrl: () => publicUrl,
    trustProxy: server.trustProxy,
    production: server.production,
  });
}
