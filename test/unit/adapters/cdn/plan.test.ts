import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLOUDFRONT_LIMITS } from '#src/adapters/cdn/cloudfront/limits.ts';
import { isWildcard, planPurge } from '#src/adapters/cdn/cloudfront/plan.ts';
import { covers } from '#src/domain/cdn-paths.ts';

const ROOM = { paths: CLOUDFRONT_LIMITS.pathsInProgress, wildcards: CLOUDFRONT_LIMITS.wildcardsInProgress };
const pending = (...paths: readonly string[]) => paths.map((path, id) => ({ id, path }));
const photo = (item: string, file: string) =>
  ['original', 'large', 'medium', 'thumbnail'].flatMap((variant) =>
    (variant === 'original' ? ['jpg', 'auto'] : ['jpg', 'webp', 'auto']).map(
      (extension) => `items/${variant}/${item}/${file}.${extension}`,
    ),
  );

describe('what is purged in one call', () => {
  test('is each path once, by itself where nothing is saved', () => {
    const plan = planPurge(
      pending('items/large/a/x.jpg', 'profiles/thumbnail/u/current', 'items/large/a/x.jpg'),
      ROOM,
    );
    expect(plan).toEqual({
      paths: ['items/large/a/x.jpg', 'profiles/thumbnail/u/current'],
      pending: [0, 1, 2],
    });
  });

  test('is one wildcard for each size of a photo, not eleven paths', () => {
    const plan = planPurge(pending(...photo('bike', 'f-1')), ROOM);
    expect(plan?.paths.toSorted()).toEqual(
      ['large', 'medium', 'original', 'thumbnail'].map((variant) => `items/${variant}/bike/f-1.*`),
    );
    expect(plan?.pending).toHaveLength(11);
  });

  test('is a folder for each size of a listing whose photos all leave', () => {
    const paths = Array.from({ length: 20 }, (_, index) => photo('bike', `f-${index}`)).flat();
    expect(planPurge(pending(...paths), ROOM)?.paths.toSorted()).toEqual(
      ['large', 'medium', 'original', 'thumbnail'].map((variant) => `items/${variant}/bike/*`),
    );
  });

  test('goes path by path, at once, where no wildcard is free', () => {
    const plan = planPurge(pending(...photo('bike', 'f-1')), { paths: 3000, wildcards: 1 });
    expect(plan?.paths).toHaveLength(1 + 8);
    expect(plan?.pending).toHaveLength(11);
  });

  test('leaves out what a wildcard covers that somebody asked for', () => {
    const plan = planPurge(pending('items/large/a/*', 'items/large/a/x.jpg', 'items/large/ab/x.jpg'), ROOM);
    expect(plan).toEqual({ paths: ['items/large/a/*', 'items/large/ab/x.jpg'], pending: [0, 1, 2] });
  });

  test('lets wildcards that were asked for wait until there is room, and the rest go on', () => {
    const plan = planPurge(pending('items/large/a/*', 'items/large/b/x.jpg'), { paths: 10, wildcards: 0 });
    expect(plan).toEqual({ paths: ['items/large/b/x.jpg'], pending: [1] });
    expect(planPurge(pending('items/large/a/*'), { paths: 10, wildcards: 0 })).toBeNull();
    expect(planPurge(pending('items/large/a/x.jpg'), { paths: -5, wildcards: -1 })).toBeNull();
  });

  test('never makes one photo’s purge reach another listing', () => {
    const plan = planPurge(pending(...photo('bike', 'f-1'), ...photo('bike-2', 'f-2')), ROOM);
    for (const path of plan?.paths ?? [])
      expect(covers(path, 'items/large/bike-3/f-3.jpg'), path).toBe(false);
  });

  test('keeps inside the room, covers what it says it covers and never more listings than were asked for', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'c');
    const path = fc.oneof(
      fc
        .tuple(
          fc.constantFrom('items', 'profiles'),
          fc.constantFrom('large', 'thumbnail'),
          segment,
          segment,
          fc.constantFrom('jpg', 'webp', 'auto'),
        )
        .map(([root, variant, scope, file, extension]) => `${root}/${variant}/${scope}/${file}.${extension}`),
      segment.map((user) => `profiles/thumbnail/${user}/current`),
      segment.map((scope) => `items/large/${scope}/*`),
      fc.constantFrom('items/*', 'quarantine/view/a-1.jpg', 'quarantine/view/a-1.webp'),
    );
    const room = fc.record({
      paths: fc.integer({ min: -2, max: 12 }),
      wildcards: fc.integer({ min: -2, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(path, { maxLength: 40 }), room, (paths, given) => {
        const asked = pending(...paths);
        const plan = planPurge(asked, given);
        if (plan === null) {
          const goes = (one: string) => (isWildcard(one) ? given.wildcards > 0 : given.paths > 0);
          return !paths.some(goes);
        }
        const wildcards = plan.paths.filter(isWildcard);
        const scopeOf = (one: string) =>
          one
            .replace(/\.[a-z]*\*?$/, '')
            .split('/')
            .slice(0, 3)
            .join('/');
        return (
          plan.paths.length > 0 &&
          wildcards.length <= Math.max(0, given.wildcards) &&
          plan.paths.length - wildcards.length <= Math.max(0, given.paths) &&
          new Set(plan.paths).size === plan.paths.length &&
          asked.every(
            ({ id, path: one }) => plan.pending.includes(id) === plan.paths.some((sent) => covers(sent, one)),
          ) &&
          plan.paths.every((sent) => paths.some((one) => scopeOf(one) === scopeOf(sent)))
        );
      }),
      { numRuns: 500 },
    );
  });
});
