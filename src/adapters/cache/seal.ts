import { createHmac, timingSafeEqual } from 'node:crypto';

const MAC_BYTES = 32;
const MAC_LENGTH = Math.ceil((MAC_BYTES * 4) / 3);

/** Values with a proof that this service wrote them, for this place and version (HMAC-SHA-256, RFC 2104). */
export interface Seal {
  close(place: string, version: string, json: string): string;
  /** The value; null when it is of another version, or when anything of it is not as it was written. */
  open(place: string, version: string, sealed: string): unknown;
}

/** @param secret that nobody knows who can only write to the cache */
export function createSeal(secret: Uint8Array): Seal {
  const macOf = (place: string, rest: string) =>
    createHmac('sha256', secret).update(`${place}\n`).update(rest).digest();

  return {
    close(place, version, json) {
      const rest = `${version}\n${json}`;
      return `${macOf(place, rest).toString('base64url')}${rest}`;
    },
    open(place, version, sealed) {
      const rest = sealed.slice(MAC_LENGTH);
      if (!rest.startsWith(`${version}\n`)) return null;
      const mac = Buffer.from(sealed.slice(0, MAC_LENGTH), 'base64url');
      if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, macOf(place, rest))) return null;
      return JSON.parse(rest.slice(version.length + 1));
    },
  };
}
