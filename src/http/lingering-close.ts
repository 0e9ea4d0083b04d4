import type { FastifyReply, FastifyRequest } from 'fastify';

/** How much of a body nobody wants is still taken off the wire. */
const LINGER_BYTES = 8 * 1024 * 1024;
/** How long the client has to read the answer. */
const LINGER_MS = 2_000;

/**
 * Ends the connection after the reply although the request is still arriving. Closing at once would make the
 * kernel reset the connection and the client lose the answer (RFC 9112 §9.6), so what is in flight is thrown
 * away for a moment first. Past `LINGER_BYTES` nothing more is read: the sender is held up by its own full
 * buffers, not by a reset, until it has read the answer or the time is over.
 */
export function closeAfterReply(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request;
  const { socket } = raw;
  reply.header('connection', 'close');
  raw.unpipe();
  let thrownAway = 0;
  raw.on('data', (chunk: Buffer) => {
    thrownAway += chunk.length;
    if (thrownAway > LINGER_BYTES) raw.pause();
  });
  raw.resume();
  // Node calls this once the reply is out.
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    if (raw.complete) socket.destroy();
    raw.once('end', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
  };
}
