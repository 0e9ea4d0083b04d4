import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';

const Policy = z.object({
  Statement: z
    .array(
      z.object({
        Resource: z.string(),
        Condition: z.object({ DateLessThan: z.object({ 'AWS:EpochTime': z.number() }) }),
      }),
    )
    .length(1),
});

/**
 * Whether CloudFront would open a URL: "Create a signed URL using a canned policy", "Set signed cookies using a custom
 * policy", Developer Guide, 2026. Written from the documents, apart from the product's own check.
 */
export function isOpened(
  url: URL,
  cookie: string,
  key: { readonly id: string; readonly publicKey: KeyObject },
  nowMs: number,
): boolean {
  const inCookie = (name: string) =>
    new RegExp(`(?:^|; )CloudFront-${name}=([^;]*)`).exec(cookie)?.[1] ?? null;
  const of = (name: string) => url.searchParams.get(name) ?? inCookie(name);
  const base = new URL(url);
  for (const name of ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'])
    base.searchParams.delete(name);
  const custom = of('Policy');
  const text =
    custom === null
      ? `{"Statement":[{"Resource":"${base.href}","Condition":{"DateLessThan":{"AWS:EpochTime":${of('Expires')}}}}]}`
      : decode(custom).toString();
  const hash = of('Hash-Algorithm') ?? 'SHA1';
  if (of('Key-Pair-Id') !== key.id || (hash !== 'SHA1' && hash !== 'SHA256')) return false;
  if (!verify(hash, Buffer.from(text), key.publicKey, decode(of('Signature') ?? ''))) return false;
  const [statement] = Policy.parse(JSON.parse(text)).Statement;
  const before = statement?.Condition.DateLessThan['AWS:EpochTime'] ?? 0;
  const parts = (statement?.Resource ?? '')
    .split('*')
    .map((part) => part.replaceAll(/[.?+^$()[\]{}|\\]/g, '\\$&'));
  return before > nowMs / 1000 && new RegExp(`^${parts.join('.*')}$`).test(base.href);
}

function decode(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');
}
