import { StorageError } from '#src/domain/errors.ts';

/** Host and port of a Redis URL, never its user or password. */
export function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === '' ? '6379' : port}`;
}

/**
 * Turns a failure of the first connection into one sentence for the operator. The error itself goes no further: commands
 * that Redis refuses carry their arguments, and one of them is the password.
 */
export function refusal(error: unknown, server: { readonly url: string; readonly variable: string }) {
  const { variable, url } = server;
  const reason = error instanceof Error ? error.message : String(error);
  const where = `The Redis of ${variable}, ${addressOf(url)},`;
  const known = REASONS.find(({ sign }) => sign.test(`${codeOf(error)} ${reason}`));
  if (known !== undefined)
    return new StorageError('INVALID_CONFIGURATION', `${where} ${known.says(variable)}`);
  const hint = url.startsWith('rediss:')
    ? 'If it takes connections without TLS only, write redis:// instead of rediss://.'
    : 'If it takes connections with TLS only, write rediss:// instead of redis://.';
  return new StorageError(
    'QUEUE_UNAVAILABLE',
    `${where} does not answer (${codeOf(error) || reason}). Start it, or correct ${variable}. ${hint}`,
  );
}

/** How Redis and TLS begin the errors that trying again does not mend (error prefixes of Redis; Node.js, "TLS"). */
const REASONS: readonly { readonly sign: RegExp; readonly says: (variable: string) => string }[] = [
  {
    sign: /NOAUTH/,
    says: (variable) => `asks for a password: write it into ${variable}, redis://user:password@host:port.`,
  },
  { sign: /WRONGPASS|ERR AUTH/, says: (variable) => `refuses the user or the password of ${variable}.` },
  {
    sign: /NOPERM/,
    says: () => 'does not let this user do what is needed: allow it all commands on its keys (ACL SETUSER).',
  },
  { sign: /DB index/, says: (variable) => `has no database of the number in ${variable}.` },
  {
    sign: /CERT|SELF_SIGNED|UNABLE_TO_/,
    says: () =>
      'has a certificate that this machine does not trust: name its authority in NODE_EXTRA_CA_CERTS, or the host as the certificate does.',
  },
];

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
