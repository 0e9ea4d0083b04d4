import { createPrivateKey, createPublicKey } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ENVIRONMENT, outputOf } from '../src/environment.ts';
import { deploy } from '../src/operator/deploy.ts';

const EXAMPLE = fileURLToPath(new URL('../settings.example.json', import.meta.url));

let folder: string;
let said: string[];
let calls: (readonly string[])[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'localex-deploy-'));
  said = [];
  calls = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => path.join(folder, name);

/** Stands in for the command line of the AWS CDK, of which an account would be needed: writes outputs as it does. */
const withCdk = (code: number, args: readonly string[] = []) =>
  deploy({
    folder,
    args,
    say: (line) => said.push(line),
    cdk: async (given) => {
      calls.push(given);
      const file = given[given.indexOf('--outputs-file') + 1] ?? '';
      const outputs = Object.fromEntries(
        ENVIRONMENT.map((name) => [outputOf(name), `the-${outputOf(name)}`]),
      );
      if (code === 0) await writeFile(at(file), JSON.stringify({ 'localex-storage-storage': outputs }));
      return code;
    },
  });

test('without settings nothing is made, and the answer says what to do', async () => {
  await expect(withCdk(0)).rejects.toThrow('copy settings.example.json');
  expect(calls).toEqual([]);
});

test('from settings to the environment: keys, all stacks, one file', async () => {
  await copyFile(EXAMPLE, at('settings.json'));
  expect(await withCdk(0, ['--require-approval', 'never'])).toBe(0);
  expect(calls).toEqual([
    ['deploy', '--all', '--outputs-file', 'cdk.out/outputs.json', '--require-approval', 'never'],
  ]);
  const environment = await readFile(at('localex.env'), 'utf8');
  expect(environment).toContain('S3_BUCKET=the-S3Bucket\n');
  expect(environment).toContain(`CLOUDFRONT_PRIVATE_KEY_FILE=${at('keys/cloudfront.pem')}\n`);
  expect((await stat(at('keys/cloudfront.pem'))).mode & 0o777).toBe(0o600);
  const made = createPublicKey(createPrivateKey(await readFile(at('keys/cloudfront.pem'))));
  expect(made.export({ type: 'spki', format: 'pem' })).toBe(
    await readFile(at('keys/cloudfront.pub.pem'), 'utf8'),
  );
});

test('a second deployment keeps the keys', async () => {
  await copyFile(EXAMPLE, at('settings.json'));
  await withCdk(0);
  const before = await readFile(at('keys/cloudfront.pem'), 'utf8');
  await withCdk(0);
  expect(await readFile(at('keys/cloudfront.pem'), 'utf8')).toBe(before);
  expect(said.filter((line) => line.startsWith('Made'))).toHaveLength(1);
});

test('a deployment that fails hands on its exit code and writes no environment', async () => {
  await copyFile(EXAMPLE, at('settings.json'));
  expect(await withCdk(3)).toBe(3);
  await expect(stat(at('localex.env'))).rejects.toThrow('ENOENT');
});

test('settings that are wrong are refused before anything is deployed', async () => {
  await writeFile(at('settings.json'), '{"name":"localex-storage"}');
  await expect(withCdk(0)).rejects.toThrow('settings.json is not valid');
  expect(calls).toEqual([]);
});
