import { expect, test } from 'vitest';
import { type Config, loadConfig, SETTINGS } from '../../src/config/index.ts';
import { ENVIRONMENT, OPTIONAL_ENVIRONMENT, outputOf } from '../src/environment.ts';
import { environmentFile } from '../src/operator/environment-file.ts';
import { flat } from './support/flat.ts';
import { EXAMPLE, WITH_EVERYTHING } from './support/variants.ts';
import type { Synthesised } from './support/synthesise.ts';

const PRIVATE_KEY = '/run/secrets/cloudfront.pem';

/** What AWS answers for what is only known once it is made. */
const MADE: Readonly<Record<string, string>> = {
  '<Distribution>': 'E1A2B3C4D5E6F7',
  '<Distribution.DomainName>': 'd111111abcdef8.cloudfront.net',
  '<Arrivals>': 'https://sqs.eu-central-1.amazonaws.com/111122223333/localex-storage-arrivals',
};

/** As `cdk deploy --outputs-file` writes it. */
function outputsOf(synthesised: Synthesised): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(synthesised.templates).map(([stack, { Outputs }]) => [
      stack,
      Object.fromEntries(
        Object.entries(Outputs).map(([name, { Value }]) => [
          name,
          String(flat(Value, synthesised, stack)).replaceAll(/<[^>]+>/g, made),
        ]),
      ),
    ]),
  );
}

function made(what: string): string {
  return MADE[what] ?? (what.startsWith('<PublicKey') ? 'K2JCJMDEHXQW5F' : what);
}

test('the outputs of the storage stack are exactly variables that the service reads', () => {
  const outputs = EXAMPLE.templates[EXAMPLE.names.stacks.storage]?.Outputs ?? {};
  expect(Object.keys(outputs)).toEqual(ENVIRONMENT.map(outputOf));
  expect(Object.values(outputs).map(({ Description }) => Description)).toEqual([...ENVIRONMENT]);
  const known = SETTINGS.map(({ name }) => name);
  expect(known).toEqual(expect.arrayContaining([...ENVIRONMENT, ...OPTIONAL_ENVIRONMENT]));
});

test.each([
  ['cdk deploy --outputs-file', outputsOf(EXAMPLE)],
  [
    'aws cloudformation describe-stacks',
    {
      Stacks: Object.entries(outputsOf(EXAMPLE)).map(([StackName, outputs]) => ({
        StackName,
        Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
      })),
    },
  ],
])('the service understands what is written from the outputs of %s', (_, outputs) => {
  const config = configOf(environmentFile(outputs, PRIVATE_KEY));
  expect(config.server.publicUrl).toBe('https://api.localex.example');
  expect(config.storage.driver).toBe('s3');
  expect(config.s3).toMatchObject({
    bucket: 'localex-storage-111122223333-eu-central-1',
    region: 'eu-central-1',
    replica: { bucket: 'localex-storage-replica-111122223333-eu-west-1', region: 'eu-west-1' },
  });
  expect(config.cdn).toMatchObject({
    driver: 'cloudfront',
    url: 'https://d111111abcdef8.cloudfront.net',
    cloudfront: {
      distributionId: 'E1A2B3C4D5E6F7',
      keyPairId: 'K2JCJMDEHXQW5F',
      privateKeyFile: PRIVATE_KEY,
    },
  });
  expect(config.integrations).toMatchObject({
    keys: 'kms',
    kmsKeyId: 'alias/localex-storage-documents',
    arrivals: 'sqs',
    eventsQueueUrl: MADE['<Arrivals>'],
  });
});

test('a domain and countries reach the service, too', () => {
  const text = environmentFile(outputsOf(WITH_EVERYTHING), PRIVATE_KEY);
  expect(text).toContain('\nCDN_URL=https://cdn.localex.example\n');
  expect(text).toContain('\nCDN_GEO_ALLOW=DE,AT\n');
});

test('every line names a variable that the service knows, once, and holds no secret', () => {
  const text = environmentFile(outputsOf(EXAMPLE), PRIVATE_KEY);
  const names = text
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf('=')));
  expect(new Set(names).size).toBe(names.length);
  const settings = new Map(SETTINGS.map(({ name, secret }) => [name, secret]));
  for (const name of names) expect(settings.get(name), name).toBe(false);
});

test('outputs of which some are missing are refused by the names of the variables', () => {
  const outputs = outputsOf(EXAMPLE);
  delete outputs[EXAMPLE.names.stacks.storage]?.['KmsKeyId'];
  delete outputs[EXAMPLE.names.stacks.storage]?.['CdnUrl'];
  expect(() => environmentFile(outputs, PRIVATE_KEY)).toThrow('The outputs do not have CDN_URL, KMS_KEY_ID');
  expect(() => environmentFile([], PRIVATE_KEY)).toThrow('Expected what');
  expect(() => environmentFile({ Stacks: [{ StackName: 'empty' }] }, PRIVATE_KEY)).toThrow('STORAGE_DRIVER');
});

test('what would need quotes in an environment file is refused instead of misread', () => {
  const forged = {
    stack: { ...outputsOf(EXAMPLE)[EXAMPLE.names.stacks.storage], S3Bucket: 'a\nNODE_ENV=development' },
  };
  expect(() => environmentFile(forged, PRIVATE_KEY)).toThrow('S3_BUCKET cannot be written');
  expect(() => environmentFile(outputsOf(EXAMPLE), '/my keys/key.pem')).toThrow(
    'CLOUDFRONT_PRIVATE_KEY_FILE',
  );
});

/** With every adapter that the variables name, whichever this version has. */
function configOf(text: string): Config {
  const env = Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  return loadConfig(env, {
    'object store': ['s3'],
    CDN: ['cloudfront'],
    scanner: ['basic'],
    moderator: ['local'],
    search: ['postgres'],
    'key vault': ['kms'],
    metrics: ['prometheus'],
    'arrival events': ['sqs'],
    notifications: ['log'],
  });
}
