import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleSettings } from '../src/example.ts';
import { namesOf } from '../src/names.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'localex-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('all settings that are wrong are named at once, with what was expected', () => {
  const refused = () =>
    exampleSettings({ account: '12', region: 'Frankfurt', name: 'A', uploadOrigins: ['http://x'], extra: 1 });
  expect(refused).toThrow(/settings\.example\.json is not valid; expected/);
  expect(refused).toThrow(/account: the 12 digits/);
  expect(refused).toThrow(/region: the name of an AWS region/);
  expect(refused).toThrow(/name: 3 to 20 lower-case/);
  expect(refused).toThrow(/uploadOrigins\.0: an origin such as/);
  expect(refused).toThrow(/extra/);
});

test.each([
  ['a replica in the same region', { replicaRegion: 'eu-central-1' }, /replicaRegion: another region/],
  [
    'a certificate that CloudFront would not find',
    {
      domain: {
        name: 'cdn.localex.example',
        certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/x',
      },
    },
    /a certificate in us-east-1/,
  ],
  ['countries that are allowed and denied', { countries: { allow: ['DE'], deny: ['FR'] } }, /countries/],
  ['a budget of nothing', { monthlyBudgetUsd: 0 }, /monthlyBudgetUsd/],
  ['no public key', { publicKeyFiles: [] }, /publicKeyFiles/],
])('%s is refused', (_, instead, message) => {
  expect(() => exampleSettings(instead)).toThrow(message);
});

test('a private key that is given by mistake is refused, and so is a key that CloudFront does not take', async () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'secp384r1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const write = async (name: string, text: string) => {
    await writeFile(path.join(folder, name), text);
    return { publicKeyFiles: [path.join(folder, name)] };
  };
  const mistaken = await write('private.pem', privateKey);
  expect(() => exampleSettings(mistaken)).toThrow('private.pem holds a private key');
  const unfit = await write('p384.pem', publicKey);
  expect(() => exampleSettings(unfit)).toThrow('p384.pem: expected an RSA key of 2048 bits');
});

test('the longest names that are allowed still make names of buckets', () => {
  const longest = { name: 'a'.repeat(20), region: 'ap-southeast-1', replicaRegion: 'ap-northeast-3' };
  const names = namesOf(exampleSettings(longest));
  const { bucket: main, replicaBucket, reportsBucket, logsBucket, replicaLogsBucket, edgeLogsBucket } = names;
  for (const bucket of [main, replicaBucket, reportsBucket, logsBucket, replicaLogsBucket, edgeLogsBucket])
    expect(bucket).toMatch(/^[a-z\d][a-z\d-]{1,61}[a-z\d]$/);
});
