import { z } from 'zod';
import type { Delivery } from '#src/domain/usage.ts';
import type { LoggedRequest } from '#src/ports/access-logs.ts';
import { isRobot } from '../cdn/robots.ts';

/** Reads one line of a file; null for one that tells of no request. Throws on a line that is no line of such a log. */
export type ReadLine = (line: string) => LoggedRequest | null;

/** @param basePath of the CDN's address, which URLs have before the key: `` or `/photos` */
export function createLineReader(basePath: string): ReadLine {
  let names: readonly string[] | null = null;
  return (line) => {
    if (line.startsWith('{')) return requestOf(Fields.parse(JSON.parse(line)), basePath, decodeOnce);
    if (line.startsWith('#')) {
      if (line.startsWith('#Fields:')) names = line.slice('#Fields:'.length).trim().split(/\s+/);
      return null;
    }
    if (line === '') return null;
    if (names === null) throw new Error('Columns come before their names');
    const values = line.split('\t');
    if (values.length !== names.length) throw new Error('A line has more or fewer columns than names');
    const named = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    return requestOf(Fields.parse(named), basePath, decodeTwice);
  };
}

/**
 * Names and values as in CloudFront Developer Guide, "Standard logging reference", 2025; the same in JSON and W3C, where
 * `-` is "no value". A delivery may leave out fields.
 */
const Fields = z.object({
  date: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  time: z.string().regex(/^\d\d:\d\d:\d\d$/),
  'sc-bytes': z.coerce.number().int().nonnegative(),
  'cs-method': z.string(),
  'cs-uri-stem': z.string().startsWith('/'),
  'sc-status': z.coerce.number().int(),
  'x-edge-result-type': z.string(),
  'cs(User-Agent)': z.string().optional(),
  'sc-range-start': z.string().optional(),
});

function requestOf(
  fields: z.infer<typeof Fields>,
  basePath: string,
  decodeAgent: (text: string) => string,
): LoggedRequest | null {
  const at = new Date(`${fields.date}T${fields.time}Z`);
  if (Number.isNaN(at.getTime())) throw new Error('A line has a time that is none');
  const stem = fields['cs-uri-stem'];
  if (!stem.startsWith(`${basePath}/`)) return null;
  const start = fields['sc-range-start'];
  const agent = fields['cs(User-Agent)'];
  return {
    at,
    method: fields['cs-method'],
    status: fields['sc-status'],
    bytes: fields['sc-bytes'],
    delivery: DELIVERIES[fields['x-edge-result-type']] ?? 'other',
    rangeStart: start !== undefined && /^\d+$/.test(start) ? Number(start) : null,
    isRobot: agent !== undefined && agent !== '-' && isRobot(decodeAgent(agent)),
    path: decodeOnce(stem.slice(basePath.length + 1)),
  };
}

/** A viewer that went away before the end (`Error` with status 000) is none of these. */
const DELIVERIES: Readonly<Record<string, Delivery>> = {
  Hit: 'hit',
  RefreshHit: 'hit',
  OriginShieldHit: 'hit',
  Miss: 'miss',
  Error: 'error',
  LimitExceeded: 'error',
  CapacityExceeded: 'error',
};

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** In W3C files a space in a user agent is `%20` where the value was plain, and `%2520` where it had been encoded before. */
function decodeTwice(text: string): string {
  return decodeOnce(decodeOnce(text));
}
