import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMetadata, encodeMetadata, WRITE_ID } from '#src/adapters/object-store/s3/metadata.ts';

test('any text comes back, and travels as printable ASCII without spaces at its ends', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { name = '' } = encodeMetadata({ name: text });
      expect(name).toMatch(/^[!-~]([ -~]*[!-~])?$/);
      expect(decodeMetadata({ name })).toEqual({ name: text.toWellFormed() });
    }),
  );
});

test('plain text is readable where it lies', () => {
  expect(encodeMetadata({ Title: 'A red bicycle, 100%' })).toEqual({ title: 'A red bicycle, 100%' });
});

test('text that looks encoded is encoded', () => {
  const metadata = { name: "UTF-8''a%20b" };
  expect(decodeMetadata(encodeMetadata(metadata))).toEqual(metadata);
});

test('what does not decode is left as others have written it', () => {
  expect(decodeMetadata({ a: "UTF-8''%E4", b: '%41' })).toEqual({ a: "UTF-8''%E4", b: '%41' });
});

test('the mark of a call is nobody’s metadata', () => {
  expect(decodeMetadata({ [WRITE_ID]: 'x', a: 'b' })).toEqual({ a: 'b' });
});

test.each(['', 'a b', 'ä', 'a:b', 'a\n'])('the name %j is refused', (name) => {
  expect(() => encodeMetadata({ [name]: 'x' })).toThrow('A name of metadata is not valid.');
});
