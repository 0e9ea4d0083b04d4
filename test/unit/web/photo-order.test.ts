import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrowTarget, laterOf, mergeOrder, moveTo } from '../../../web/src/upload/photo-order.ts';

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 12 });

describe('moving a photo', () => {
  test('puts it where it was asked to and keeps the others in order', () => {
    expect(moveTo(['a', 'b', 'c', 'd'], 'a', 2)).toEqual(['b', 'c', 'a', 'd']);
    expect(moveTo(['a', 'b', 'c', 'd'], 'd', 0)).toEqual(['d', 'a', 'b', 'c']);
  });

  test('neither loses nor repeats a photo, wherever it goes', () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.integer(), (list, which, index) => {
        const id = list[which % Math.max(1, list.length)] ?? 'none';
        expect(moveTo(list, id, index).toSorted()).toEqual(list.toSorted());
      }),
    );
  });

  test('arrows go one on in the row and one row in the column', () => {
    expect(arrowTarget('ArrowRight', 4, 3)).toBe(5);
    expect(arrowTarget('ArrowUp', 4, 3)).toBe(1);
    expect(arrowTarget('x', 4, 3)).toBeNull();
  });
});

describe('an order over photos that changed meanwhile', () => {
  test('keeps what the seller wanted, leaves out what is gone, adds what is new at the end', () => {
    expect(mergeOrder(['c', 'gone', 'a'], ['a', 'b', 'c'])).toEqual(['c', 'a', 'b']);
  });

  test('names every present photo exactly once', () => {
    fc.assert(
      fc.property(ids, ids, (wanted, present) => {
        expect(mergeOrder(wanted, present).toSorted()).toEqual(present.toSorted());
      }),
    );
  });
});

test('an answer that was long on its way does not undo a later one', () => {
  const [old, same, later] = [{ version: 4 }, { version: 5 }, { version: 6 }];
  const shown = { version: 5 };
  expect(laterOf(shown, old)).toBe(shown);
  expect(laterOf(shown, same)).toBe(same);
  expect(laterOf(shown, later)).toBe(later);
  expect(laterOf(undefined, old)).toBe(old);
});
