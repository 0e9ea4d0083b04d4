import type { Server } from 'node:http';

const IDLE_CLOSE_MS = 50;

/**
 * Runs `close` while idle keep-alive connections, which would hold it up for ever, are closed as they appear; at
 * the deadline the rest are cut. Resolves when the server has stopped.
 */
export async function closeGracefully(
  server: Server,
  deadlineMs: number,
  close: () => Promise<unknown>,
): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CLOSE_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  try {
    await close();
  } finally {
    clearInterval(idle);
    clearTimeout(deadline);
  }
}
