import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Principal, Role } from '#src/domain/access.ts';
import { ROLES } from '#src/domain/access.ts';
import { StorageError } from '#src/domain/errors.ts';
import { isUserId } from '#src/domain/ids.ts';
import type { AuthOptions } from './deps.ts';

export interface Authenticator {
  /**
   * Who sent this Authorization header; null when there is none. UNAUTHENTICATED when the token is malformed,
   * expired, forged or for somebody else; BUSY when the identity provider does not answer.
   */
  principalOf(authorization: string | undefined): Promise<Principal | null>;
  /** A token of our own, for development. UNSUPPORTED unless `devTokens`. */
  issueDevToken(sub: string, roles: readonly Role[]): Promise<{ token: string; expiresAt: string }>;
}

const DEV_ISSUER = 'localex-storage-dev';
const CLOCK_TOLERANCE_SECONDS = 5;
/** Asymmetric only: with a symmetric one in the list a public key could be used as a secret. */
const PROVIDER_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

/** Verifies bearer tokens: by the provider's key set, or by the development key. */
export function createAuthenticator(options: AuthOptions): Authenticator {
  const verify = verifierOf(options);

  return {
    async principalOf(authorization) {
      if (authorization === undefined) return null;
      const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
      if (token === undefined)
        throw new StorageError('UNAUTHENTICATED', 'The Authorization header is not "Bearer <token>".');
      return principalFrom(await verify(token).catch(rejectToken));
    },
    async issueDevToken(sub, roles) {
      if (!options.devTokens || options.devSigningKey === null) throw new StorageError('UNSUPPORTED');
      const expiresAt = Math.floor(Date.now() / 1000) + options.devTokenSeconds;
      const token = await new SignJWT({ roles: [...roles] })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(sub)
        .setIssuer(options.issuer ?? DEV_ISSUER)
        .setAudience(options.audience ?? DEV_ISSUER)
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(options.devSigningKey);
      return { token, expiresAt: new Date(expiresAt * 1000).toISOString() };
    },
  };
}

function verifierOf(options: AuthOptions): (token: string) => Promise<JWTPayload> {
  const common = { requiredClaims: ['sub', 'exp'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
  if (options.jwksUrl !== null) {
    const keys: JWTVerifyGetKey = createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: 5_000 });
    const claims = {
      ...common,
      ...(options.issuer !== null && { issuer: options.issuer }),
      ...(options.audience !== null && { audience: options.audience }),
      algorithms: PROVIDER_ALGORITHMS,
    };
    return async (token) => (await jwtVerify(token, keys, claims)).payload;
  }
  const { devSigningKey } = options;
  if (devSigningKey === null)
    throw new StorageError('INVALID_CONFIGURATION', 'There is no key to check tokens with.');
  const claims = {
    ...common,
    issuer: options.issuer ?? DEV_ISSUER,
    audience: options.audience ?? DEV_ISSUER,
    algorithms: ['HS256'],
  };
  return async (token) => (await jwtVerify(token, devSigningKey, claims)).payload;
}

const claimsSchema = z.object({ sub: z.string().refine(isUserId), roles: z.array(z.string()).default([]) });

/** Roles we do not know give no rights. */
function principalFrom(payload: JWTPayload): Principal {
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success)
    throw new StorageError('UNAUTHENTICATED', 'The token does not carry "sub" and "roles" as expected.');
  const { sub, roles } = claims.data;
  return { userId: sub, roles: ROLES.filter((role) => roles.includes(role)) };
}

function rejectToken(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw new StorageError('UNAUTHENTICATED', 'The token has expired: sign in again.', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed)
    throw new StorageError(
      'UNAUTHENTICATED',
      `The token is not meant for this service: "${error.claim}" is wrong.`,
      {
        cause: error,
      },
    );
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    throw new StorageError('UNAUTHENTICATED', 'The signature of the token is not genuine.', { cause: error });
  const isProviderSilent =
    error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error instanceof TypeError;
  if (isProviderSilent)
    throw new StorageError('BUSY', 'Tokens cannot be checked at the moment.', {
      retryAfter: 5,
      cause: error,
    });
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC')
    throw new StorageError('UNAUTHENTICATED', 'The token is not valid.', { cause: error });
  throw new StorageError('BUSY', 'Tokens cannot be checked at the moment.', { retryAfter: 5, cause: error });
}
