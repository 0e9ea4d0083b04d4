import { constants, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKeyPair, readKeyPair } from '#src/adapters/cdn/signing/key-pair.ts';
import { createSigner } from '#src/adapters/cdn/signing/signer.ts';
import { createVerifier } from '#src/adapters/cdn/signing/verifier.ts';
import { ecdsaKeyPair, otherRsaKeyPair, rsaKeyPair, SIGNATURES } from '#test/support/signing-keys.ts';

const BASE = 'https://cdn.example.com';
const VIEW = 'quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const NOW = Date.parse('2026-11-24T12:01:40Z');
const clock = { now: () => new Date(NOW) };
const inSeconds = (seconds: number) => new Date(NOW + seconds * 1000);

const KINDS = [
  ['RSA', rsaKeyPair],
  ['ECDSA', ecdsaKeyPair],
] as const;

const signerOf = (keyPair = rsaKeyPair(), limits = SIGNATURES) =>
  createSigner({ keyPair, limits, url: (path) => `${BASE}/${encodeURI(path)}`, clock });
const verifierOf = (keyPair = rsaKeyPair()) =>
  createVerifier({ keyPairId: keyPair.id, publicKey: keyPair.publicKey, limits: SIGNATURES });

/** What a viewer sends for a URL. */
function asked(url: string, extra: { cookie?: string; address?: string } = {}) {
  const [path = '', query = ''] = url.split('?');
  return { url: path, query, cookie: extra.cookie, address: extra.address ?? null };
}

const bytesOf = (text: string) =>
  Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');
const lettersOf = (bytes: Buffer) =>
  bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');

/** Signs any policy with the right key, as somebody who has it could. */
function withPolicy(policy: object | string, keyPair = rsaKeyPair()) {
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
  const signature = lettersOf(sign('SHA256', Buffer.from(text), keyPair.privateKey));
  const fields = { Policy: lettersOf(Buffer.from(text)), Signature: signature, 'Key-Pair-Id': keyPair.id };
  return new URLSearchParams({ ...fields, 'Hash-Algorithm': 'SHA256' }).toString().replaceAll('%7E', '~');
}
const statement = (resource: string, before: number, more: object = {}) => ({
  Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': before }, ...more } }],
});

describe.each(KINDS)('a URL signed with %s', (_, keyPair) => {
  test('is a canned policy in CloudFront’s form, good by the public key', () => {
    const url = new URL(signerOf(keyPair()).signedUrl(VIEW, inSeconds(600)));
    const query = Object.fromEntries(url.searchParams);
    expect(Object.keys(query).toSorted()).toEqual(['Expires', 'Hash-Algorithm', 'Key-Pair-Id', 'Signature']);
    expect(query).toMatchObject({ 'Key-Pair-Id': keyPair().id, 'Hash-Algorithm': 'SHA256' });
    const policy = `{"Statement":[{"Resource":"${BASE}/${VIEW}","Condition":{"DateLessThan":{"AWS:EpochTime":${query['Expires']}}}}]}`;
    const signature = bytesOf(query['Signature'] ?? '');
    expect(verify('SHA256', Buffer.from(policy), keyPair().publicKey, signature)).toBe(true);
    expect(verify('SHA256', Buffer.from(`${policy} `), keyPair().publicKey, signature)).toBe(false);
  });

  test('opens that URL, until it ends', () => {
    const url = signerOf(keyPair()).signedUrl(VIEW, inSeconds(600));
    const check = verifierOf(keyPair());
    expect(check(asked(url), NOW)).toBe('valid');
    expect(check(asked(url), NOW + 599_000)).toBe('valid');
    expect(check(asked(url), NOW + 901_000)).toBe('invalid');
  });

  test('opens nothing with any single letter of it changed', () => {
    const url = signerOf(keyPair()).signedUrl(VIEW, inSeconds(600));
    const check = verifierOf(keyPair());
    const from = BASE.length;
    for (let at = from; at < url.length; at += 7) {
      const letter = url[at] === 'x' ? 'y' : 'x';
      const forged = `${url.slice(0, at)}${letter}${url.slice(at + 1)}`;
      expect(check(asked(forged), NOW), forged).not.toBe('valid');
    }
  });

  test('in cookies is a custom policy over a wildcard, good by the public key, and opens what it covers only', () => {
    const cookies = signerOf(keyPair()).signedCookies('quarantine/view/*', inSeconds(600));
    const value = (name: string) => cookies.find((cookie) => cookie.name === name)?.value ?? '';
    expect(cookies.map(({ name }) => name).toSorted()).toEqual([
      'CloudFront-Hash-Algorithm',
      'CloudFront-Key-Pair-Id',
      'CloudFront-Policy',
      'CloudFront-Signature',
    ]);
    const policy = bytesOf(value('CloudFront-Policy'));
    expect(JSON.parse(policy.toString())).toEqual(
      statement(`${BASE}/quarantine/view/*`, Math.ceil((NOW / 1000 + 600) / 60) * 60),
    );
    expect(verify('SHA256', policy, keyPair().publicKey, bytesOf(value('CloudFront-Signature')))).toBe(true);

    const cookie = cookies.map((one) => `${one.name}=${one.value}`).join('; ');
    const check = verifierOf(keyPair());
    expect(check(asked(`${BASE}/${VIEW}`, { cookie }), NOW)).toBe('valid');
    expect(check(asked(`${BASE}/items/large/a/b.jpg`, { cookie }), NOW)).toBe('invalid');
    expect(check(asked(`${BASE}/${VIEW}`, { cookie }), NOW + 3_600_000)).toBe('invalid');
    expect(check(asked(`${BASE}/${VIEW}`, { cookie: `${cookie}; ${cookie}` }), NOW)).toBe('invalid');
    expect(check(asked(`${BASE}/${VIEW}`, { cookie: cookie.replace('Policy=ey', 'Policy=eY') }), NOW)).toBe(
      'invalid',
    );
  });
});

describe('the expiry of a signature', () => {
  test('is rounded up to a window, so that requests within it get one URL', () => {
    let now = NOW;
    const make = () =>
      createSigner({
        keyPair: rsaKeyPair(),
        limits: SIGNATURES,
        url: (path) => `${BASE}/${path}`,
        clock: { now: () => new Date(now) },
      });
    const [one, other] = [make(), make()];
    const urls = new Set<string>();
    // 12:01:40 to 12:04:40; asked for an hour each time, in two processes.
    for (; now < NOW + 180_000; now += 20_000)
      for (const signer of [one, other]) urls.add(signer.signedUrl(VIEW, new Date(now + 3_600_000)));
    expect(urls.size).toBe(1);
  });

  test('comes no more than a quarter of the lifetime later than asked for', () => {
    for (const seconds of [1, 3, 10, 39, 40, 60, 239, 240, 1199, 1200, 3600]) {
      const url = new URL(signerOf().signedUrl(VIEW, inSeconds(seconds)));
      const lives = Number(url.searchParams.get('Expires')) - NOW / 1000;
      expect(lives, String(seconds)).toBeGreaterThanOrEqual(seconds);
      expect(lives, String(seconds)).toBeLessThanOrEqual(Math.max(seconds + 1, seconds * 1.25));
    }
  });

  test('is never beyond the longest lifetime, nor past', () => {
    for (const seconds of [3601, 1e9, Number.NaN, 0, -5])
      expect(() => signerOf().signedUrl(VIEW, inSeconds(seconds)), String(seconds)).toThrow(
        expect.objectContaining({ code: 'INVALID_REQUEST' }),
      );
    expect(() => signerOf().signedCookies('quarantine/view/*', inSeconds(3601))).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });
});

describe('the check of a signature', () => {
  const check = (url: string, extra = {}) => verifierOf()(asked(url, extra), NOW);
  const soon = Math.floor(NOW / 1000) + 600;
  const url = `${BASE}/${VIEW}`;

  test('refuses one that is good but lives longer than we sign for', () => {
    const limit = NOW / 1000 + SIGNATURES.maxSeconds + SIGNATURES.windowSeconds;
    expect(check(`${url}?${withPolicy(statement(url, limit))}`)).toBe('valid');
    expect(check(`${url}?${withPolicy(statement(url, limit + 1))}`)).toBe('invalid');
  });

  test('refuses the key of somebody else, also under our name', () => {
    const mine = new URL(signerOf(otherRsaKeyPair()).signedUrl(VIEW, inSeconds(600)));
    expect(check(mine.href)).toBe('invalid');
    mine.searchParams.set('Key-Pair-Id', rsaKeyPair().id);
    expect(check(mine.href)).toBe('invalid');
  });

  test('refuses another host, another path and other parameters than were signed', () => {
    const { search } = new URL(signerOf().signedUrl(VIEW, inSeconds(600)));
    expect(check(`${url}${search}`)).toBe('valid');
    for (const target of [
      `https://other.example.com/${VIEW}${search}`,
      `http://cdn.example.com/${VIEW}${search}`,
      `${url.replace('c7a11', 'c7a12')}${search}`,
      `${BASE}/%71uarantine${VIEW.slice('quarantine'.length)}${search}`,
      `${url}${search}&size=large`,
      `${url}${search}&Expires=${soon}`,
      `${url}${search}&Policy=e30_`,
    ])
      expect(check(target), target).toBe('invalid');
  });

  test('reads CloudFront’s wildcards: * for any characters, ? for one', () => {
    const opens = (resource: string) => check(`${url}?${withPolicy(statement(resource, soon))}`);
    expect(opens(`${BASE}/quarantine/view/*`)).toBe('valid');
    expect(opens(`http*://cdn.example.com/*`)).toBe('valid');
    expect(opens(url.replace('.jpg', '.???'))).toBe('valid');
    expect(opens(url.replace('.jpg', '.??'))).toBe('invalid');
    expect(opens(`${BASE}/items/*`)).toBe('invalid');
    expect(opens(url.replace('cdn.example', 'cdnXexample'))).toBe('invalid');
  });

  test('holds a policy to its beginning and to the viewer’s address', () => {
    const from = (range: string) => ({ IpAddress: { 'AWS:SourceIp': range } });
    const after = (time: number) => ({ DateGreaterThan: { 'AWS:EpochTime': time } });
    const opens = (more: object, address?: string) =>
      check(`${url}?${withPolicy(statement(url, soon, more))}`, address === undefined ? {} : { address });
    expect(opens(after(soon - 1000))).toBe('valid');
    expect(opens(after(soon - 10))).toBe('invalid');
    expect(opens(from('192.0.2.0/24'), '192.0.2.7')).toBe('valid');
    expect(opens(from('192.0.2.0/24'), '::ffff:192.0.2.7')).toBe('valid');
    expect(opens(from('192.0.2.7'), '192.0.2.7')).toBe('valid');
    expect(opens(from('192.0.2.0/24'), '192.0.3.7')).toBe('invalid');
    expect(opens(from('192.0.2.0/24'), '2001:db8::1')).toBe('invalid');
    expect(opens(from('192.0.2.0/33'), '192.0.2.7')).toBe('invalid');
    expect(opens(from('192.0.2.0/24'))).toBe('invalid');
  });

  test('refuses policies that say more, or less, than we understand', () => {
    const good = statement(url, soon);
    for (const policy of [
      '{}',
      'no json',
      '[]',
      { Statement: [] },
      { Statement: [...good.Statement, ...good.Statement] },
      { Statement: [{ Condition: good.Statement[0]?.Condition }] },
      { Statement: [{ Resource: url, Condition: {} }] },
      statement(url, soon, { Surprise: {} }),
      statement(url, soon + 0.5),
      JSON.stringify(good).replace(String(soon), `"${soon}"`),
    ])
      expect(check(`${url}?${withPolicy(policy)}`), JSON.stringify(policy)).toBe('invalid');
    expect(check(`${url}?${withPolicy(good)}`)).toBe('valid');
  });

  test('refuses what is not the letters of a signature, of any length, without failing', () => {
    const id = rsaKeyPair().id;
    for (const signature of ['', '=', 'a', '____', 'ä', '%00', 'a'.repeat(100_000), '~'.repeat(344), '\r\n'])
      for (const fields of [`Expires=${soon}`, 'Policy=e30_', `Policy=${'a'.repeat(9000)}`, 'Expires=', ''])
        expect(check(`${url}?${fields}&Signature=${signature}&Key-Pair-Id=${id}&Hash-Algorithm=SHA256`)).toBe(
          'invalid',
        );
    expect(check(`${url}?Expires=${soon}`)).toBe('invalid');
    expect(check(`${url}?Key-Pair-Id=${id}`)).toBe('invalid');
    expect(check(url)).toBe('missing');
    expect(check(`${url}?size=large`)).toBe('missing');
  });

  test('takes SHA-1 where it is said, as CloudFront does, and does not take one hash for another', () => {
    const text = JSON.stringify(statement(url, soon));
    const { privateKey, id } = rsaKeyPair();
    const signature = sign('SHA1', Buffer.from(text), {
      key: privateKey,
      padding: constants.RSA_PKCS1_PADDING,
    });
    const query = `Policy=${lettersOf(Buffer.from(text))}&Signature=${lettersOf(signature)}&Key-Pair-Id=${id}`;
    expect(check(`${url}?${query}`)).toBe('valid');
    expect(check(`${url}?${query}&Hash-Algorithm=SHA1`)).toBe('valid');
    for (const hash of ['SHA256', 'MD5', 'none', ''])
      expect(check(`${url}?${query}&Hash-Algorithm=${hash}`), hash).toBe('invalid');
  });
});

describe('the key of signatures', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'localex-keys-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const pem = (key: ReturnType<typeof generateKeyPairSync>['privateKey']) =>
    key.export({ type: 'pkcs8', format: 'pem' }).toString();

  test.each(KINDS)('may be %s', async (name, keyPair) => {
    const path = await file(`${name}.pem`, keyPair().privateKey);
    const read = await readKeyPair(path, 'K123', 'CLOUDFRONT_PRIVATE_KEY_FILE');
    expect(read.publicKey.equals(keyPair().publicKey)).toBe(true);
  });

  test('is refused at start, by the name of its setting, when CloudFront would not take it', async () => {
    const refusal = (path: string) => readKeyPair(path, 'K123', 'CLOUDFRONT_PRIVATE_KEY_FILE');
    const wrong = [
      join(folder, 'missing.pem'),
      await file('empty.pem', ''),
      await file('public.pem', rsaKeyPair().publicKey.export({ type: 'spki', format: 'pem' }).toString()),
      await file('short.pem', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)),
      await file('curve.pem', pem(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey)),
      await file('ed.pem', pem(generateKeyPairSync('ed25519').privateKey)),
    ];
    for (const path of wrong)
      await expect(refusal(path), path).rejects.toEqual(
        expect.objectContaining({
          code: 'INVALID_CONFIGURATION',
          message: expect.stringMatching(/^CLOUDFRONT_PRIVATE_KEY_FILE: /),
        }),
      );
  });

  test('of the edge is made once, readable by nobody else, and the same for all who start at once', async () => {
    const path = join(folder, 'edge.pem');
    const pairs = await Promise.all(Array.from({ length: 3 }, () => openKeyPair(path)));
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(1);
    expect(pairs[0]?.id).toMatch(/^K[A-Z\d]{13}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await openKeyPair(path)).privateKey).toBe(await readFile(path, 'utf8'));
  });
});
