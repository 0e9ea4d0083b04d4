import { httpAddress, isLoopback } from './address.ts';
import { integer, optional, type Read, setting } from './setting.ts';
import type { ServerConfig } from './server.ts';

export interface AuthConfig {
  /** Public keys of the identity provider; null in development. */
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Whether the service gives tokens to whoever asks: without identity provider, on this machine, in development. */
  readonly devTokens: boolean;
  readonly devTokenSeconds: number;
  /** Pages of these origins may call the API; the web app of the service needs none. */
  readonly corsOrigins: readonly string[];
}

export const AUTH = {
  jwksUrl: httpAddress('AUTH_JWKS_URL', {
    description: 'Public keys (JWKS) of the identity provider; development tokens when not set.',
  }),
  issuer: optional('AUTH_ISSUER', {
    description: 'Issuer that tokens must name.',
    expected: 'the issuer as tokens name it',
  }),
  audience: optional('AUTH_AUDIENCE', {
    description: 'Audience that tokens must name.',
    expected: 'the audience as tokens name it',
  }),
  corsOrigins: setting<readonly string[]>(
    'CORS_ORIGINS',
    { description: 'Origins, separated by commas, whose pages may call the API; none when not set.' },
    {
      expected: 'origins such as https://shop.example, separated by commas, without a path and without *',
      defaultText: '',
      parse: parseOrigins,
      fallback: () => [],
    },
  ),
  devTokenSeconds: integer('DEV_TOKEN_SECONDS', {
    description: 'How long a development token works.',
    default: 86_400,
    min: 1,
    max: 604_800,
  }),
};

export function readAuth(read: Read, server: ServerConfig): AuthConfig {
  const jwksUrl = read(AUTH.jwksUrl);
  return {
    jwksUrl,
    issuer: read(AUTH.issuer),
    audience: read(AUTH.audience),
    devTokens: jwksUrl === null && !server.production && isLoopback(server.host),
    devTokenSeconds: read(AUTH.devTokenSeconds),
    corsOrigins: read(AUTH.corsOrigins),
  };
}

/** Spelled as browsers send them, so that they can be compared. */
function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(',').map((origin) => origin.trim());
  const isOrigin = (origin: string) =>
    /^https?:\/\//.test(origin) && URL.parse(origin)?.origin === origin && !origin.includes('*');
  return origins.every(isOrigin) ? origins : undefined;
}
