import { BlockList, isIPv4 } from 'node:net';
import { z } from 'zod';

const epoch = z.strictObject({ 'AWS:EpochTime': z.int().min(1).max(99_999_999_999) });
const policyShape = z.strictObject({
  Statement: z.tuple([
    z.strictObject({
      Resource: z.string().min(1),
      Condition: z.strictObject({
        DateLessThan: epoch,
        DateGreaterThan: epoch.optional(),
        IpAddress: z.strictObject({ 'AWS:SourceIp': z.string() }).optional(),
      }),
    }),
  ]),
});

/** What a signature allows. */
export interface Policy {
  /** A URL, in which `*` stands for any characters and `?` for one. */
  readonly resource: string;
  /** Seconds since 1970. */
  readonly before: number;
  readonly after: number | null;
  /** IPv4 address or range of the viewer. */
  readonly from: string | null;
}

/** The text of a canned policy, letter by letter as it is signed. */
export function cannedPolicy(resource: string, expires: string): string {
  return `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
}

/** Reads a policy; null when it is anything but one statement with conditions that we know. */
export function parsePolicy(text: string): Policy | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = policyShape.safeParse(json);
  if (!parsed.success) return null;
  const [{ Resource, Condition }] = parsed.data.Statement;
  return {
    resource: Resource,
    before: Condition.DateLessThan['AWS:EpochTime'],
    after: Condition.DateGreaterThan?.['AWS:EpochTime'] ?? null,
    from: Condition.IpAddress?.['AWS:SourceIp'] ?? null,
  };
}

/** Whether the resource of a policy covers a URL. */
export function coversUrl(resource: string, url: string): boolean {
  const pattern = resource
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's').test(url);
}

/** Whether an address is the given one, or in the given range (`a.b.c.d/n`). Unknown and IPv6 addresses are not. */
export function isFrom(range: string, address: string | null): boolean {
  const viewer = address?.replace(/^::ffff:/, '') ?? '';
  const [network = '', bits = '32'] = range.split('/');
  if (!isIPv4(viewer) || !isIPv4(network) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return false;
  const allowed = new BlockList();
  allowed.addSubnet(network, Number(bits));
  return allowed.check(viewer);
}
