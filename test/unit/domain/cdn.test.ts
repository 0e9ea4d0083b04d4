import { describe, expect, test } from 'vitest';
import {
  CACHE_RULES,
  cacheControlOf,
  cachePolicyFor,
  cacheRule,
  IMMUTABLE,
  PRIVATE,
} from '#src/domain/cache-policy.ts';
import { covers, isPhotoPath, purgePath, warmPath } from '#src/domain/cdn-paths.ts';
import { distanceKm } from '#src/domain/distance.ts';
import { cityOfPop, EDGE_CITIES, nearestCity } from '#src/domain/edge-locations.ts';
import { countryOf, isCountry, isServedIn } from '#src/domain/geo.ts';

const KEY = 'items/large/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';

describe('a path that may be purged', () => {
  test.each([
    KEY,
    KEY.replace('.jpg', '.auto'),
    'items/*',
    'items/large/bike-1/*',
    'items/large/bike*',
    'profiles/thumbnail/user-1/current',
    'quarantine/view/*',
  ])('is %s', (path) => expect(purgePath(path)).toBe(path));

  test.each([
    '*',
    '/*',
    '',
    'items',
    'item*',
    `/${KEY}`,
    'items/*/x.jpg',
    'items/**',
    'items/../temp/x',
    'items//*',
    'items/%2e%2e/x',
    'items/a\0b',
    'items/ä',
    'temp/uploads/*',
    'verification/documents/*',
    'quarantine/raw/*',
    'quarantine/*',
    `items/${'a'.repeat(1100)}`,
  ])('is not %s', (path) =>
    expect(() => purgePath(path)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' })),
  );

  test('is warmed only when it is one public object', () => {
    expect(warmPath(KEY)).toBe(KEY);
    for (const path of ['items/*', 'quarantine/view/x.jpg', 'temp/x'])
      expect(() => warmPath(path), path).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
  });

  test('is one photo’s, or not', () => {
    expect(isPhotoPath(KEY)).toBe(true);
    expect(isPhotoPath(KEY.replace('.jpg', '.auto'))).toBe(true);
    expect(isPhotoPath('profiles/thumbnail/user-1/current')).toBe(false);
    expect(isPhotoPath('items/*')).toBe(false);
  });

  test('covers itself, or what begins like it', () => {
    expect(covers('items/a*', 'items/ab/x')).toBe(true);
    expect(covers('items/a', 'items/ab')).toBe(false);
    expect(covers('items/a*', 'profiles/a')).toBe(false);
  });
});

describe('a cache policy', () => {
  test('is for ever for what never changes, a minute for the alias, nobody’s for what is signed', () => {
    expect(cacheControlOf(cachePolicyFor(KEY))).toBe('public, max-age=31536000, immutable');
    expect(cacheControlOf(cachePolicyFor('profiles/thumbnail/user-1/current'))).toBe('public, max-age=60');
    expect(cacheControlOf(cachePolicyFor('quarantine/view/x.jpg'))).toBe('private, no-store');
    expect(cachePolicyFor('temp/uploads/x')).toBe(PRIVATE);
    expect(cacheControlOf({ maxAgeSeconds: 0, visibility: 'public', immutable: false })).toBe('no-store');
    expect(cacheControlOf({ maxAgeSeconds: 5, visibility: 'private', immutable: false })).toBe(
      'private, max-age=5',
    );
  });

  test('is that of the most particular rule', () => {
    const policy = (maxAgeSeconds: number) =>
      ({ maxAgeSeconds, visibility: 'public', immutable: false }) as const;
    const rules = [cacheRule('items/*', policy(60)), cacheRule('items/large/bike-1/*', policy(5))];
    expect(cachePolicyFor(KEY, rules).maxAgeSeconds).toBe(5);
    expect(cachePolicyFor(KEY.replace('bike-1', 'bike-2'), rules).maxAgeSeconds).toBe(60);
    expect(cachePolicyFor('profiles/original/u/x.jpg', rules)).toBe(IMMUTABLE);
    expect(CACHE_RULES.map(({ pattern }) => pattern)).toContain('items/*');
  });

  test('is refused where it would make a secret public, or is none', () => {
    const code = (pattern: string, policy: object) => {
      try {
        cacheRule(pattern, { ...IMMUTABLE, ...policy });
        return 'taken';
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error;
      }
    };
    expect(code('quarantine/view/*', {})).toBe('INVALID_REQUEST');
    expect(code('quarantine/view/*', PRIVATE)).toBe('taken');
    for (const maxAgeSeconds of [-1, 0.5, Number.NaN, 31_536_001])
      expect(code('items/*', { maxAgeSeconds }), String(maxAgeSeconds)).toBe('INVALID_REQUEST');
    for (const pattern of ['*', 'temp/*', 'quarantine/*', 'items', 'items/ä', 'items/\n'])
      expect(code(pattern, {}), pattern).toBe('INVALID_KEY');
  });
});

describe('a country', () => {
  test('is one of ISO 3166', () => {
    for (const known of ['DE', 'US', 'XK']) expect(isCountry(known), known).toBe(true);
    for (const other of ['XX', 'EU', 'UK', 'de', 'D', 'DEU', '']) expect(isCountry(other), other).toBe(false);
    expect(countryOf(' de ')).toBe('DE');
    expect(countryOf('T1')).toBeNull();
    expect(countryOf(undefined)).toBeNull();
  });

  test('is served or not by the rule; an unknown one is', () => {
    const only = { kind: 'only', countries: ['DE'] } as const;
    const except = { kind: 'except', countries: ['DE'] } as const;
    expect([isServedIn(only, 'DE'), isServedIn(only, 'FR'), isServedIn(only, null)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([isServedIn(except, 'DE'), isServedIn(except, 'FR'), isServedIn(except, null)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(isServedIn({ kind: 'everywhere' }, 'DE')).toBe(true);
  });
});

describe('an edge location', () => {
  test('is known by the first letters of X-Amz-Cf-Pop', () => {
    expect(cityOfPop('FRA56-P12')).toMatchObject({ code: 'FRA', city: 'Frankfurt', country: 'DE' });
    expect(cityOfPop('sfo5-c1')?.city).toBe('San Francisco');
    expect(cityOfPop('ZZZ1')).toBeNull();
    expect(cityOfPop('')).toBeNull();
  });

  test('is a place on the earth in a country that exists, each code once', () => {
    expect(EDGE_CITIES.length).toBeGreaterThan(100);
    expect(new Set(EDGE_CITIES.map(({ code }) => code)).size).toBe(EDGE_CITIES.length);
    for (const { code, city, country, latitude, longitude } of EDGE_CITIES) {
      expect(code, city).toMatch(/^[A-Z]{3}$/);
      expect(city.length, code).toBeGreaterThan(2);
      expect(isCountry(country), code).toBe(true);
      expect(Math.abs(latitude), code).toBeLessThan(70);
      expect(Math.abs(longitude), code).toBeLessThan(180);
    }
  });

  test('is the nearest on the great circle', () => {
    const berlin = { latitude: 52.52, longitude: 13.4 };
    expect(nearestCity(berlin)?.code).toBe('TXL');
    expect(nearestCity({ latitude: 64.1, longitude: -21.9 })?.country).toMatch(/GB|IE/);
    expect(nearestCity({ latitude: -17.5, longitude: -149.5 })?.code).toBe('AKL');
    // Across the date line: Fiji is nearer to Auckland than to Brisbane.
    expect(nearestCity({ latitude: -18.1, longitude: 178.4 })?.code).toBe('AKL');
    expect(nearestCity(berlin, [])).toBeNull();
  });

  test('is as far as it is: Berlin to Paris 878 km, to its antipode half the earth', () => {
    const berlin = { latitude: 52.52, longitude: 13.405 };
    expect(distanceKm(berlin, { latitude: 48.857, longitude: 2.352 })).toBeCloseTo(878, -1);
    expect(distanceKm(berlin, { latitude: -52.52, longitude: -166.595 })).toBeCloseTo(20_015, 0);
    expect(distanceKm(berlin, berlin)).toBe(0);
  });
});
