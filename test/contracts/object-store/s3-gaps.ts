import type { S3Server } from '#test/support/s3-server.ts';

const ONLY_FILES =
  'keeps objects as files: a key cannot also be a folder, and a segment has 255 bytes at most';
const NO_SIGNATURES = 'does not check what was signed';

/**
 * Clauses of the contract that a server does not keep, by the name of their test, and why. What follows from a missing
 * feature (`featuresOf`) is not among them. `docs/storage/s3-servers.md` is written from both.
 */
export const S3_GAPS: Readonly<Record<S3Server['product'], Readonly<Record<string, string>>>> = {
  'Ceph RGW': {
    'of four creates at once one wins':
      'completes an upload in parts over what is there, whatever its If-None-Match says',
    'are given with a large object, too': 'forgets the tags of an upload in parts',
  },
  versitygw: {
    'a key may be the beginning of another one': ONLY_FILES,
    'every character, device names and 1,024 bytes are carried': ONLY_FILES,
    'keys come in ascending byte order, page after page': ONLY_FILES,
    'a prefix is the beginning of a key, wherever it ends': ONLY_FILES,
    'writers and deleters in one folder do not disturb each other':
      'removes a folder that has become empty while another object is written into it, and refuses that',
  },
  LocalStack: {
    'keys come in ascending byte order, page after page': 'leaves keys with “|” out of pages',
    'of four creates at once one wins':
      'looks and completes in two steps, between which another may complete',
    'a URL changed in any part is refused': NO_SIGNATURES,
    'a larger file, an empty one, another key, type or policy are refused and leave nothing': NO_SIGNATURES,
  },
};
