import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorOf, parseCursor } from '#src/services/cursor.ts';
import { storedFilename } from '#src/services/uploads/reserve.ts';

describe('the name of a file', () => {
  test.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\photo.jpg', 'photo.jpg'],
    ['/absolute/photo.jpg', 'photo.jpg'],
    ['evil\u202egpj.exe', 'evilgpj.exe'],
    ['a\u2066b\u2069c\u200fd\u061ce.jpg', 'abcde.jpg'],
    ['line\r\nbreak\u2028and\u2029more\0.jpg', 'linebreakandmore.jpg'],
    ['  spaces .jpg  ', 'spaces .jpg'],
    ['Käfer 🐞 甲虫.jpg', 'Käfer 🐞 甲虫.jpg'],
    ['👩‍👩‍👧.jpg', '👩‍👩‍👧.jpg'],
    ['half \ud83d emoji.jpg', 'half  emoji.jpg'],
    ['', 'photo'],
    ['.', 'photo'],
    ['..', 'photo'],
    ['folder/', 'photo'],
    ['\0\0', 'photo'],
  ])('%j is kept as %j', (claimed, kept) => expect(storedFilename(claimed, 200)).toBe(kept));

  test('is cut by characters, not through the middle of one', () => {
    expect(storedFilename('x'.repeat(10_240), 200)).toHaveLength(200);
    expect([...storedFilename('🐞'.repeat(300), 200)]).toHaveLength(200);
    expect(storedFilename(`${'x'.repeat(199)} y`, 200)).toBe('x'.repeat(199));
  });

  test('is never empty, a path, or text that turns or breaks a line, whatever was claimed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 16, max: 255 }),
        (claimed, length) => {
          const name = storedFilename(claimed, length);
          expect(name).not.toMatch(/[/\\\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
          expect([...name].length).toBeGreaterThanOrEqual(1);
          expect([...name].length).toBeLessThanOrEqual(length);
          expect(['.', '..']).not.toContain(name);
          expect(storedFilename(name, length)).toBe(name);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a page marker', () => {
  const anyTime = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });

  test('reads back as time and id', () => {
    fc.assert(
      fc.property(anyTime, fc.stringMatching(/^[a-z0-9-]{1,20}$/), (at, id) => {
        expect(parseCursor(cursorOf(at, id), () => true)).toEqual({ at, id });
      }),
    );
  });

  test('that we did not give is refused', () => {
    const coded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const isId = (id: string) => id === 'known';
    for (const text of [
      '',
      'x',
      coded(null),
      coded({}),
      coded(['2026-01-01']),
      coded(['never', 'known']),
      coded(['2026-01-01', 'other']),
      coded(['-000001-01-01T00:00:00Z', 'known']),
      coded([1, 'known']),
    ])
      expect(() => parseCursor(text, isId)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});
