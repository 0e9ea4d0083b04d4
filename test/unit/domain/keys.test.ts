import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileId, isFileId, isItemId, isUserId, itemId, userId } from '#src/domain/ids.ts';
import {
  documentKey,
  isObjectKey,
  isReceivedKey,
  keyPrefix,
  objectKey,
  parsePublicKey,
  parseUploadKey,
  partKey,
  partOffset,
  profileAlias,
  publicKey,
  quarantineRawKey,
  quarantineViewKey,
  receivedKey,
  uploadKey,
} from '#src/domain/keys.ts';
import { OUTPUT_FORMATS, VARIANTS } from '#src/domain/renditions.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const anyFileId = fc.uuid().map((text) => fileId(text.toLowerCase()));
const anyItemId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map(itemId);
const anyUserId = fc.stringMatching(/^[A-Za-z0-9_|@:-][A-Za-z0-9_.@:|-]{0,63}$/).map(userId);
const anyParts = fc
  .record({
    fileId: anyFileId,
    hash12: hex(12),
    variant: fc.constantFrom(...VARIANTS),
    format: fc.constantFrom(...OUTPUT_FORMATS),
  })
  .chain((shared) =>
    fc.oneof(
      anyItemId.map((scope) => ({ ...shared, kind: 'item_photo' as const, scope })),
      anyUserId.map((scope) => ({ ...shared, kind: 'profile_photo' as const, scope })),
    ),
  );

describe('a public key', () => {
  test('reads back as what it was made of', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        expect(parsePublicKey(publicKey(parts))).toEqual(parts);
      }),
    );
  });

  test('differs wherever any of its parts does', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(publicKey(one) === publicKey(other)).toBe(isSame);
      }),
    );
  });

  test('is read from no text that was not made so', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webPath(), mutated()), (text) => {
        const parts = parsePublicKey(text);
        expect(parts === null || publicKey(parts) === text).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    'quarantine/view/x.jpg',
    'items/huge/item/01900000-0000-7000-8000-000000000000-0123456789ab.jpg',
    'items/large/item/01900000-0000-7000-8000-000000000000-0123456789ab.exe',
    'items/large/item/01900000-0000-7000-8000-000000000000-0123456789ab.jpg/more',
    'items/large/../01900000-0000-7000-8000-000000000000-0123456789ab.jpg',
    'items/large/item/01900000-0000-7000-8000-00000000000Z-0123456789ab.jpg',
    'items/large',
    '',
  ])('is not %j', (text) => expect(parsePublicKey(text)).toBeNull());

  function mutated() {
    return fc
      .tuple(anyParts.map(publicKey), fc.nat(), fc.constantFrom('/', '.', 'A', '%', '\0', '-', ''))
      .map(([key, at, put]) => key.slice(0, at % key.length) + put + key.slice((at % key.length) + 1));
  }
});

describe('an object key', () => {
  test.each([
    ['nothing', ''],
    ['a leading slash', '/a'],
    ['a trailing slash', 'a/'],
    ['an empty segment', 'a//b'],
    ['a dot', 'a/./b'],
    ['two dots', 'a/../b'],
    ['only two dots', '..'],
    ['NUL', 'a\0b'],
    ['a backslash', 'a\\b'],
    ['a percent sign', 'a%2e%2e'],
    ['a space', 'a b'],
    ['a line break', 'a\nb'],
    ['a line break at the end', 'a\n'],
    ['a letter that is not ASCII', 'ä'],
    ['the same letter in two parts', 'a\u0308'],
    ['a full-width dot', '．．/a'],
    ['an emoji', '📷'],
    ['a tilde', '~root'],
    ['a quote', 'a"b'],
    ['1,025 bytes', 'a'.repeat(1025)],
  ])('with %s is refused', (_name, key) => {
    expect(isObjectKey(key)).toBe(false);
    expect(() => objectKey(key)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
  });

  test('of 1,024 bytes and of every allowed sign is taken', () => {
    for (const key of ['a'.repeat(1024), "A-z_0.9/!*'()@:|=+,", '...', 'a/..b', '.hidden'])
      expect(objectKey(key)).toBe(key);
  });

  test('never leaves the folder it is joined to, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webPath(),
          fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a') }),
        ),
        (text) => {
          const accepted = isObjectKey(text);
          const isInside = !text.split(/[/\\]/).some((part) => part === '..' || part === '.' || part === '');
          expect(accepted && !isInside).toBe(false);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('of each kind lies where it belongs', () => {
    fc.assert(
      fc.property(anyFileId, anyUserId, hex(12), (id, user, hash) => {
        expect(uploadKey(id)).toBe(`temp/uploads/${id}`);
        expect(quarantineRawKey(id)).toBe(`quarantine/raw/${id}`);
        expect(quarantineViewKey(id, hash, 'jpeg')).toBe(`quarantine/view/${id}-${hash}.jpg`);
        expect(documentKey(user, id)).toBe(`verification/documents/${user}/${id}.enc`);
        expect(profileAlias(user)).toBe(`profiles/thumbnail/${user}/current`);
      }),
    );
  });
});

describe('a key below an upload', () => {
  const any = fc.tuple(anyFileId, fc.integer({ min: 0, max: 999_999_999_999 }));

  test('of a part is in order of its offset, and read back', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 0, max: 999_999_999_999 }), ([id, offset], other) => {
        const key = partKey(id, offset);
        expect(partOffset(id, key)).toBe(offset);
        expect(key < partKey(id, other)).toBe(offset < other);
        expect([parseUploadKey(key), isReceivedKey(id, key)]).toEqual([null, false]);
      }),
    );
  });

  test('of what was taken over is no part and no upload', () => {
    fc.assert(
      fc.property(anyFileId, hex(16), (id, attempt) => {
        const key = receivedKey(id, attempt);
        expect(isReceivedKey(id, key)).toBe(true);
        expect([parseUploadKey(key), partOffset(id, key)]).toEqual([null, null]);
      }),
    );
  });

  test('names its file only where it is the upload itself', () => {
    fc.assert(
      fc.property(anyFileId, (id) => {
        expect(parseUploadKey(uploadKey(id))).toBe(id);
      }),
    );
    for (const key of ['temp/uploads/', 'temp/uploads/x', 'items/x', '', 'quarantine/raw/x'])
      expect(parseUploadKey(key)).toBe(null);
  });
});

test('a prefix is a key, a key with a slash, or nothing', () => {
  for (const prefix of ['', 'items', 'items/', 'items/large/']) expect(keyPrefix(prefix)).toBe(prefix);
  for (const prefix of ['/', '../', 'a//', 'a\0', '%2e'])
    expect(() => keyPrefix(prefix)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
});

describe('ids', () => {
  test.each(['', '..', '.', 'a/b', 'a b', 'ä', 'x'.repeat(65), 'a\n', 'a\0'])(
    '%j is no id at all',
    (text) => {
      expect([isFileId(text), isItemId(text), isUserId(text)]).toEqual([false, false, false]);
      for (const make of [fileId, itemId, userId])
        expect(() => make(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    },
  );

  test('make keys that are always allowed', () => {
    fc.assert(
      fc.property(anyUserId, anyItemId, anyFileId, (user, item, id) => {
        for (const key of [`profiles/${user}/x`, `items/${item}/x`, `temp/${id}`])
          expect(isObjectKey(key)).toBe(true);
      }),
    );
  });

  test('of files are lower case UUIDs', () => {
    expect(isFileId('01900000-0000-7000-8000-00000000000a')).toBe(true);
    expect(isFileId('01900000-0000-7000-8000-00000000000A')).toBe(false);
  });
});
