import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { SigningKeyPair } from '#src/adapters/cdn/signing/key-pair.ts';

function pairOf(id: string, key: KeyObject): SigningKeyPair {
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { id, privateKey, publicKey: createPublicKey(privateKey) };
}

const made = new Map<string, SigningKeyPair>();

function once(id: string, make: () => KeyObject): SigningKeyPair {
  const known = made.get(id) ?? pairOf(id, make());
  made.set(id, known);
  return known;
}

/** One key pair a process: making one takes a quarter of a second. */
export const rsaKeyPair = () =>
  once('KRSATEST000001', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
export const otherRsaKeyPair = () =>
  once('KRSATEST000002', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
export const ecdsaKeyPair = () =>
  once('KECTEST0000001', () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey);

/** The lifetimes that tests sign with. */
export const SIGNATURES = { maxSeconds: 3600, windowSeconds: 300 } as const;
