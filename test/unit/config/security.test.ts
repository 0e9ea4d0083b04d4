import { describe, expect, test } from 'vitest';
import { loadConfig } from '#src/config/index.ts';
import { refusal } from './refusal.ts';

describe('origins that may call the API', () => {
  test('are none by default, and named one by one', () => {
    expect(loadConfig({}).auth.corsOrigins).toEqual([]);
    expect(
      loadConfig({ CORS_ORIGINS: 'https://shop.example, http://localhost:3000' }).auth.corsOrigins,
    ).toEqual(['https://shop.example', 'http://localhost:3000']);
  });

  test.each([
    '*',
    'https://*.example',
    'https://shop.example/',
    'https://shop.example/path',
    'shop.example',
    'null',
    'https://a.example,',
    'https://SHOP.example',
    'https://shop.example:443',
  ])('are refused unless they are spelled as browsers send them: %s', (value) => {
    expect(refusal({ CORS_ORIGINS: value }).problems.map((problem) => problem.name)).toEqual([
      'CORS_ORIGINS',
    ]);
  });
});

describe('wrapping keys', () => {
  test('end long enough after the next one has taken their place', () => {
    expect(loadConfig({}).keys).toMatchObject({ rotationDays: 7, lifetimeDays: 30 });
    expect(loadConfig({ KEY_ROTATION_DAYS: '22' }).keys.rotationDays).toBe(22);
    expect(refusal({ KEY_ROTATION_DAYS: '23' }).problems).toMatchObject([{ name: 'KEY_LIFETIME_DAYS' }]);
    expect(refusal({ KEY_LIFETIME_DAYS: '14' }).problems).toMatchObject([{ name: 'KEY_LIFETIME_DAYS' }]);
  });

  test('are in KMS only when one is named', () => {
    expect(refusal({ KEYS_DRIVER: 'kms' }).problems).toMatchObject([{ name: 'KMS_KEY_ID' }]);
    expect(loadConfig({ KEYS_DRIVER: 'kms', KMS_KEY_ID: 'alias/x' }).integrations.keys).toBe('kms');
  });
});
