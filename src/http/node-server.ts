import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '#src/domain/errors.ts';
import { PROBLEM_TYPE, problemDocument } from '#src/domain/problem.ts';
import type { EdgeHandler, HttpLimits } from './deps.ts';
import { STATUS } from './problems.ts';

const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
const CHECK_EVERY_MS = 1_000;
/** A body beyond this is refused before its sender is told to go on. */
const CONTINUE_OVERHEAD = 64 * 1024;

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * The server under Fastify. The edge is asked first, so that a photo from memory costs nothing but itself. A request
 * that trickles in is cut off: headers after 15 s, the whole after `bodyTimeoutMs`.
 */
export function createNodeServer(edge: EdgeHandler | null, limits: HttpLimits, handler: Handler): Server {
  const handle: Handler =
    edge === null
      ? handler
      : (req, res) => {
          if (!edge.handle(req, res)) handler(req, res);
        };
  const server = createServer(
    {
      requestTimeout: limits.bodyTimeoutMs,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, limits.bodyTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    handle,
  );
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    const announced = Number(req.headers['content-length'] ?? 0);
    if (announced <= limits.maxFileSize + CONTINUE_OVERHEAD) res.writeContinue();
    handle(req, res);
  });
  return server;
}

/** Answers what is no HTTP request, or did not become one in time, before Fastify sees it. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'DEADLINE_EXCEEDED' : 'INVALID_REQUEST';
  const status =
    code === 'DEADLINE_EXCEEDED' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : STATUS[code];
  const requestId = randomUUID();
  const problem = problemDocument({ code, status, detail: DETAILS[code], requestId });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? problem.title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const DETAILS = {
  DEADLINE_EXCEEDED: 'The request did not arrive in time.',
  INVALID_REQUEST: 'This is not an HTTP request that can be read.',
} as const satisfies Partial<Record<ErrorCode, string>>;
