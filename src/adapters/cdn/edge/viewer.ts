import type { IncomingMessage } from 'node:http';

/** How many proxies in front are believed about the viewer; false: none. */
export type TrustProxy = false | number;

/** Address of the viewer: of the connection, or as the proxies that are believed say. */
export function addressOf(req: IncomingMessage, trust: TrustProxy): string | null {
  const connected = req.socket.remoteAddress ?? null;
  if (trust === false) return connected;
  const told = listed(req.headers['x-forwarded-for']);
  return told.at(-trust) ?? told[0] ?? connected;
}

/** Whether the viewer came without TLS, as the nearest proxy says; false when none is believed. */
export function cameByPlainHttp(req: IncomingMessage, trust: TrustProxy): boolean {
  return trust !== false && listed(req.headers['x-forwarded-proto']).at(-1)?.toLowerCase() === 'http';
}

/** A field that a proxy sets; undefined when none is believed. */
export function toldByProxy(req: IncomingMessage, trust: TrustProxy, name: string): string | undefined {
  const value = trust === false ? undefined : req.headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}

function listed(field: string | string[] | undefined): string[] {
  const text = Array.isArray(field) ? field.join(',') : (field ?? '');
  return text === '' ? [] : text.split(',').map((part) => part.trim());
}
