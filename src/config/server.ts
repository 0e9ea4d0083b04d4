import { httpAddress, isHost, urlHost } from './address.ts';
import { choice, choices, integer, type Read, setting, text } from './setting.ts';

export const ROLES = ['http', 'worker', 'edge'] as const;
export type Role = (typeof ROLES)[number];
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export interface ServerConfig {
  readonly production: boolean;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where clients reach the service, without a slash at the end; null while the port is not known (`addressesOf`). */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  /** What this process does. */
  readonly roles: readonly Role[];
  /** How many proxies stand in front and are believed about the client's address; false: none. */
  readonly trustProxy: false | number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** How long a stopping process may take to finish what it has begun. */
  readonly shutdownMs: number;
}

export const SERVER = {
  environment: choice('NODE_ENV', ['development', 'test', 'production'], {
    description: 'In production the service does not start with settings that are only safe in development.',
    default: 'development',
  }),
  host: text('HOST', {
    description: 'Address to listen on.',
    default: '127.0.0.1',
    expected: 'an IP address or a host name',
    accepts: isHost,
  }),
  port: integer('PORT', {
    description: 'Port to listen on; 0 takes any free one.',
    default: 8787,
    min: 0,
    max: 65_535,
  }),
  publicUrl: httpAddress('PUBLIC_URL', {
    description: 'Where clients reach the service; http://HOST:PORT when not set.',
  }),
  dataDir: text('DATA_DIR', {
    description: 'Folder of everything that is kept on this machine: database, objects, keys.',
    default: '.data',
    expected: 'a path',
    accepts: (path) => !path.includes('\0'),
  }),
  roles: choices('ROLES', ROLES, {
    description: 'What this process does. Anything but all three needs DATABASE_URL.',
    default: ROLES,
  }),
  trustProxy: setting<false | number>(
    'TRUST_PROXY',
    { description: 'Proxies in front of the service that are believed about the address of the client.' },
    {
      expected: 'false, or how many proxies there are, from 1 to 9',
      defaultText: 'false',
      parse: (value) => (value === 'false' ? false : /^[1-9]$/.test(value) ? Number(value) : undefined),
      fallback: () => false,
    },
  ),
  logLevel: choice('LOG_LEVEL', LOG_LEVELS, { description: 'The least that is logged.', default: 'info' }),
  shutdownMs: integer('SHUTDOWN_MS', {
    description: 'Milliseconds a stopping process may take to finish what it has begun.',
    default: 15_000,
    min: 100,
    max: 600_000,
  }),
};

export function readServer(read: Read): ServerConfig {
  const host = read(SERVER.host);
  const port = read(SERVER.port);
  const local = port === 0 ? null : localAddress(host, port);
  return {
    production: read(SERVER.environment) === 'production',
    host,
    port,
    publicUrl: read(SERVER.publicUrl) ?? local,
    dataDir: read(SERVER.dataDir),
    roles: read(SERVER.roles),
    trustProxy: read(SERVER.trustProxy),
    logLevel: read(SERVER.logLevel),
    shutdownMs: read(SERVER.shutdownMs),
  };
}

/** What a browser on this machine would call a server that listens there. */
export function localAddress(host: string, port: number): string {
  return `http://${urlHost(host)}:${port}`;
}
