import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import multipart from '@fastify/multipart';
import { fastifySSE } from '@fastify/sse';
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { createAuthenticator } from './auth.ts';
import { allowOrigins } from './cors.ts';
import type { App, HttpDeps } from './deps.ts';
import { closeGracefully } from './graceful-close.ts';
import { identifyCallers } from './identity.ts';
import { answerLocallyOnly } from './local-only.ts';
import { answerBrokenRequest, createNodeServer } from './node-server.ts';
import { sendProblem } from './problems.ts';
import { limitRequests } from './rate-limits.ts';
import { cdnRoutes } from './routes/cdn.ts';
import { copyRoutes } from './routes/copies.ts';
import { describeApi, docsPage } from './routes/docs.ts';
import { auditRoutes } from './routes/audit.ts';
import { devRoutes } from './routes/dev.ts';
import { documentRoutes } from './routes/documents.ts';
import { eventRoutes } from './routes/events.ts';
import { itemRoutes } from './routes/items.ts';
import { keyRoutes } from './routes/keys.ts';
import { lifecycleRoutes } from './routes/lifecycle.ts';
import { usageRoutes } from './routes/usage.ts';
import { moderationRoutes } from './routes/moderation.ts';
import { photoRoutes } from './routes/photos.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { profilePhotoRoutes } from './routes/profile-photo.ts';
import { historyRoutes } from './routes/history.ts';
import { reviewRoutes } from './routes/review.ts';
import { runRoutes } from './routes/runs.ts';
import { scannerRoutes } from './routes/scanners.ts';
import { scrubRoutes } from './routes/scrub.ts';
import { searchRoutes } from './routes/search.ts';
import { storeRoutes } from './routes/store.ts';
import { systemRoutes } from './routes/system.ts';
import { tusRoutes } from './routes/tus.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { webRoutes } from './routes/web.ts';
import { BARE_SECURITY_HEADERS, setSecurityHeaders } from './security-headers.ts';
import { createTusUploads } from './tus/uploads.ts';
import { createUploadLimits } from './upload-limits.ts';

const JSON_BODY_LIMIT = 64 * 1024;
const HEARTBEAT_MS = 15_000;

export interface HttpServer {
  readonly app: App;
  /** Starts listening; resolves to the URL it listens on. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no more requests, ends streams, lets running requests finish until the deadline, then cuts them. */
  close(deadlineMs: number): Promise<void>;
}

/** The HTTP service of design §7, over services that it is given. */
export async function createHttpServer(deps: HttpDeps): Promise<HttpServer> {
  const app = createApp(deps);
  const authenticator = createAuthenticator(deps.auth);
  const tus = createTusUploads({ files: deps.files, locks: deps.uploadLocks, log: deps.log });
  const uploads = createUploadLimits(deps.limits, deps.rates);
  const closing = new AbortController();
  const context = { files: deps.files, uploads, maxFileSize: deps.limits.maxFileSize };

  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const ms = Math.round(reply.elapsedTime);
    request.log.debug({ method, route: routeOptions.url, status: reply.statusCode, ms }, 'answered');
  });
  allowOrigins(app, deps.corsOrigins);
  if (deps.auth.devTokens) answerLocallyOnly(app, deps.publicUrl, deps.corsOrigins);
  await setSecurityHeaders(app, deps);
  await describeApi(app, deps);
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(fastifySSE, { heartbeatInterval: HEARTBEAT_MS });
  identifyCallers(app, authenticator);
  limitRequests(app, deps.rates);

  systemRoutes(app, deps);
  itemRoutes(app, deps);
  photoRoutes(app, context);
  receiptRoutes(app, deps);
  profilePhotoRoutes(app, context);
  documentRoutes(app, context);
  uploadRoutes(app, { ...context, ...deps });
  tusRoutes(app, { ...context, tus });
  eventRoutes(app, { files: deps.files, events: deps.events, closing: closing.signal });
  reviewRoutes(app, deps);
  historyRoutes(app, deps);
  moderationRoutes(app, deps);
  copyRoutes(app, deps);
  auditRoutes(app, deps);
  keyRoutes(app, deps);
  scannerRoutes(app, deps);
  runRoutes(app, deps);
  scrubRoutes(app, deps);
  searchRoutes(app, deps);
  cdnRoutes(app, deps);
  lifecycleRoutes(app, deps);
  usageRoutes(app, deps);
  if (deps.signedStore !== null) storeRoutes(app, deps.signedStore);
  if (deps.auth.devTokens) devRoutes(app, authenticator);
  await docsPage(app);
  await webRoutes(app, deps.webDir);
  await app.ready();

  return {
    app,
    async listen(port, host) {
      await app.listen({ port, host });
      return addressOf(app, host);
    },
    async close(deadlineMs) {
      closing.abort();
      await closeGracefully(app.server, deadlineMs, () => app.close());
    },
  };
}

function createApp(deps: HttpDeps): App {
  const hops = deps.trustProxy;
  return Fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: hops === false ? false : (_address, hop) => hop < hops,
    bodyLimit: JSON_BODY_LIMIT,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: true,
    return503OnClosing: true,
    routerOptions: { maxParamLength: 512 },
    serverFactory: (handler) => createNodeServer(deps.edge, deps.limits, handler),
    clientErrorHandler: answerBrokenRequest,
    // Answered before any hook runs.
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply.headers(BARE_SECURITY_HEADERS), error);
    },
  })
    .withTypeProvider<ZodTypeProvider>()
    .setValidatorCompiler(validatorCompiler)
    .setSerializerCompiler(serializerCompiler);
}

function addressOf(app: App, host: string): string {
  const address = app.server.address();
  const port = isAddress(address) ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return address !== null && typeof address === 'object';
}
