import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes the pair of keys of signed URLs: `NAME.pem` for the service, readable by its owner only, and `NAME.pub.pem` for
 * CloudFront. RSA with 2,048 bits, which CloudFront has always taken (CloudFront Developer Guide, "Create key pairs for your
 * signers", 2025). Throws when one of the files is there already.
 */
export function makeKeyPair(name: string): { readonly privateFile: string; readonly publicFile: string } {
  const files = { privateFile: `${name}.pem`, publicFile: `${name}.pub.pem` };
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
  writeFileSync(files.privateFile, privateKey, { flag: 'wx', mode: 0o600 });
  writeFileSync(files.publicFile, publicKey, { flag: 'wx' });
  return files;
}
