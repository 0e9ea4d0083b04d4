import { type KeyObject, verify } from 'node:crypto';
import { cannedPolicy, coversUrl, isFrom, parsePolicy } from './policy.ts';
import type { SignatureLimits } from './signer.ts';

/** What of a request a signature can lie in. All as it was sent. */
export interface SignedRequest {
  /** Absolute URL up to the question mark, as the viewer called it. */
  readonly url: string;
  /** Behind the question mark. */
  readonly query: string;
  readonly cookie: string | undefined;
  /** Address of the viewer, where it is known. */
  readonly address: string | null;
}

/** `missing`: there is no signature at all. */
export type SignatureVerdict = 'valid' | 'invalid' | 'missing';

const NAMES = ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'] as const;
type Name = (typeof NAMES)[number];
type Fields = Partial<Record<Name, string>>;

const COOKIE_PREFIX = 'CloudFront-';
/** Ours have 344 and about 300 letters. */
const MAX_SIGNATURE_LETTERS = 1024;
const MAX_POLICY_LETTERS = 2048;

/**
 * Checks signatures as CloudFront does: of the URL where there is one, else of cookies. The resource is bound letter by
 * letter, host included. What lives longer than we sign for is refused although its signature is good.
 */
export function createVerifier(options: {
  readonly keyPairId: string;
  readonly publicKey: KeyObject;
  readonly limits: SignatureLimits;
}): (request: SignedRequest, nowMs: number) => SignatureVerdict {
  const { keyPairId, publicKey, limits } = options;

  const isGenuine = (text: string, { Signature = '', 'Hash-Algorithm': hash = 'SHA1' }: Fields): boolean => {
    if (hash !== 'SHA1' && hash !== 'SHA256') return false;
    const signature = fromBase64(Signature, MAX_SIGNATURE_LETTERS);
    return signature !== null && verify(hash, Buffer.from(text), publicKey, signature);
  };

  return (request, nowMs) => {
    const ofUrl = fieldsOfQuery(request.query);
    const found = hasAny(ofUrl.fields) ? ofUrl : { ...fieldsOfCookie(request.cookie), rest: request.query };
    const { fields, rest } = found;
    if (fields !== 'ambiguous' && !hasAny(fields)) return 'missing';
    if (fields === 'ambiguous' || fields['Key-Pair-Id'] !== keyPairId) return 'invalid';

    const url = rest === '' ? request.url : `${request.url}?${rest}`;
    const text = policyText(fields, url);
    if (text === null || !isGenuine(text, fields)) return 'invalid';
    const policy = parsePolicy(text);
    if (policy === null || !coversUrl(policy.resource, url)) return 'invalid';
    const now = nowMs / 1000;
    const latest = now + limits.maxSeconds + limits.windowSeconds;
    const isNow = policy.before > now && policy.before <= latest && (policy.after ?? 0) <= now;
    const isHere = policy.from === null || isFrom(policy.from, request.address);
    return isNow && isHere ? 'valid' : 'invalid';
  };
}

/** What must have been signed: the policy that is sent along, or the canned one of this URL and expiry. */
function policyText({ Policy, Expires }: Fields, url: string): string | null {
  if (Policy !== undefined && Expires !== undefined) return null;
  if (Policy !== undefined) return fromBase64(Policy, MAX_POLICY_LETTERS)?.toString('utf8') ?? null;
  // The wildcards of a policy have no place in a canned one, nor has a quote.
  if (!/^\d{1,11}$/.test(Expires ?? '') || /["\\*?]/.test(url.split('?', 1)[0] ?? '')) return null;
  return cannedPolicy(url, Expires ?? '');
}

/** The signature's fields, and the query without them; `ambiguous` when one comes twice. */
function fieldsOfQuery(query: string): { fields: Fields | 'ambiguous'; rest: string } {
  const fields: Fields = {};
  const rest: string[] = [];
  for (const pair of query.split('&')) {
    const [name, value] = split(pair);
    const known = NAMES.find((one) => one === name);
    if (known === undefined) rest.push(pair);
    else if (fields[known] !== undefined) return { fields: 'ambiguous', rest: '' };
    else fields[known] = value;
  }
  return { fields, rest: rest.join('&') };
}

function fieldsOfCookie(cookie = ''): { fields: Fields | 'ambiguous' } {
  const fields: Fields = {};
  for (const pair of cookie.split(';')) {
    const [name, value] = split(pair.trim());
    const known = NAMES.find((one) => `${COOKIE_PREFIX}${one}` === name);
    if (known === undefined) continue;
    if (fields[known] !== undefined) return { fields: 'ambiguous' };
    fields[known] = value;
  }
  return { fields };
}

function split(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  return equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
}

function hasAny(fields: Fields | 'ambiguous'): boolean {
  return fields === 'ambiguous' || Object.keys(fields).length > 0;
}

/** CloudFront writes `-`, `_`, `~` for `+`, `=`, `/`. Null for any other letter. */
function fromBase64(text: string, maxLetters: number): Buffer | null {
  if (text.length === 0 || text.length > maxLetters || !/^[A-Za-z\d~-]+_{0,2}$/.test(text)) return null;
  return Buffer.from(text.replaceAll('-', '+').replaceAll('~', '/').replaceAll('_', '='), 'base64');
}
