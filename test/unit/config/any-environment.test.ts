import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig, SETTINGS } from '#src/config/index.ts';
import type { Environment } from '#src/config/report.ts';
import { isStorageError } from '#src/domain/errors.ts';

const PLAUSIBLE =
  '0|1|-1|true|false|production|10 MiB|1e9|http|s3|kms|x|\0|☃|__proto__|postgres://a:b@c/d|redis://h:1|' +
  'https://e.example.org/?q|http://u:p@h/|tcp://h:1';
const plausible = fc.constantFrom(...PLAUSIBLE.split('|'));
const environment = fc.dictionary(
  fc.oneof(fc.constantFrom(...SETTINGS.map(({ name }) => name)), fc.string({ maxLength: 12 })),
  fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), plausible, fc.constant(undefined)),
);

test('no environment leads to anything but a configuration or INVALID_CONFIGURATION', () => {
  fc.assert(
    fc.property(environment, (env) => {
      expect(outcome(env)).toBeOneOf(['a configuration', 'INVALID_CONFIGURATION']);
    }),
    { numRuns: 500 },
  );
});

const SECRETS = SETTINGS.filter(({ secret }) => secret);
const password = fc.stringMatching(/^[a-z\d]{12,24}$/).map((text) => `pw${text}`);

test('no secret is shown, whether its setting is right or wrong', () => {
  expect(SECRETS.map(({ name }) => name)).toEqual([
    'DATABASE_URL',
    'REDIS_URL',
    'REDIS_CACHE_URL',
    'WEBHOOK_SECRET',
  ]);
  fc.assert(
    fc.property(
      password,
      fc.constantFrom('', 'postgres://app:', 'redis://:', 'mysql://u:'),
      fc.constantFrom('', '@h:1/d', ' @'),
      (word, before, after) => {
        const env = Object.fromEntries(SECRETS.map(({ name }) => [name, `${before}${word}${after}`]));
        expect(everythingSaid({ ...env, PORT: 'wrong' })).not.toContain(word);
        expect(everythingSaid(env)).not.toContain(word);
      },
    ),
    { numRuns: 200 },
  );
});

test('a password is not shown even where none belongs', () => {
  for (const { name } of SETTINGS) {
    expect(everythingSaid({ [name]: 'https://user:hunter2@example.org' }), name).not.toContain('hunter2');
    expect(everythingSaid({ [name]: '-----BEGIN PRIVATE KEY-----\nhunter2' }), name).not.toContain('hunter2');
  }
});

function outcome(env: Environment): unknown {
  try {
    const { sources } = loadConfig(env);
    return sources.length === SETTINGS.length ? 'a configuration' : sources;
  } catch (error) {
    return isStorageError(error) ? error.code : error;
  }
}

/** The message and details of a refusal, or what `doctor` would print. */
function everythingSaid(env: Readonly<Record<string, string>>): string {
  try {
    return JSON.stringify(loadConfig(env).sources);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return error.message + JSON.stringify(error.details);
  }
}
