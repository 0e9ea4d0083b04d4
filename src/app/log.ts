import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * What libraries log of a request beside our own lines, which never hold them: header fields that let somebody act
 * as another, or name a document. The form parser lists all of them at `trace`.
 */
const PRIVATE_HEADERS = [
  'authorization',
  'cookie',
  '["idempotency-key"]',
  '["upload-metadata"]',
  '["set-cookie"]',
];
const PLACES = ['headers', 'req.headers', 'res.headers', 'request.headers', 'response.headers', '*.headers'];
const REDACTED = [
  ...PLACES.flatMap((place) =>
    PRIVATE_HEADERS.map((name) => (name.startsWith('[') ? `${place}${name}` : `${place}.${name}`)),
  ),
  'busboyOptions.headers',
  // A refused command of Redis comes with its arguments, and the first of a connection holds the password.
  'err.command.args',
];

/** The log of the service: one JSON object a line, at `level` and above, without secrets. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, base: null, redact: REDACTED };
  return destination === undefined ? pino(options) : pino(options, destination);
}
