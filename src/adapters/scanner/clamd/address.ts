import { hostname } from 'node:os';
import type { ClamdAddress } from './session.ts';

const DEFAULT_PORT = 3310;

/** Of `tcp://host:port` (port 3310 when it is left out) or `unix:///path`. */
export function addressOf(url: string): ClamdAddress {
  const { protocol, hostname: host, port, pathname } = new URL(url);
  if (protocol === 'unix:') return { path: decodeURIComponent(pathname) };
  return { host: host.replace(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_PORT : Number(port) };
}

/** The same text in all processes that ask the same clamd: one that only this machine reaches is named with it. */
export function identityOf(url: string): string {
  const address = addressOf(url);
  const isLocal = 'path' in address || /^(localhost|127\..*|::1)$/.test(address.host);
  return isLocal ? `${url} on ${hostname()}` : url;
}
