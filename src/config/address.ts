import { isIPv4, isIPv6 } from 'node:net';
import { optional, type Setting } from './setting.ts';

/** `https://host/path` as a setting that may be missing; a slash at its end is taken off. */
export function httpAddress(name: string, about: { description: string }): Setting<string | null> {
  const base = optional(name, {
    ...about,
    expected: 'an address that begins with http:// or https://, without user name, query and fragment',
    accepts: isHttpAddress,
  });
  return { ...base, parse: (text) => base.parse(text)?.replace(/\/+$/, '') };
}

/** `scheme://host:port` of one of the schemes, as a setting that may be missing. */
export function serverAddress(
  name: string,
  schemes: readonly string[],
  about: { description: string; expected: string; secret?: boolean },
): Setting<string | null> {
  return optional(name, {
    ...about,
    accepts: (text) => schemes.includes(text.slice(0, text.indexOf('://'))) && hasHost(text),
  });
}

export function isHost(text: string): boolean {
  return isIPv4(text) || isIPv6(text) || /^[a-z\d]([a-z\d.-]{0,251}[a-z\d])?$/i.test(text);
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** An address as it stands in a URL: IPv6 in brackets. */
export function urlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function isHttpAddress(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:\/\//i.test(text) &&
    url.username === '' &&
    url.password === '' &&
    !/[?#\s\\]/.test(text)
  );
}

/** PostgreSQL's URLs may leave the host out (a unix socket), which the URL parser does not allow. */
function hasHost(text: string): boolean {
  return URL.canParse(text) || /^postgres(ql)?:\/\/[^/\s]*\/\S+$/.test(text);
}
