import { bytes, integer, type Read } from './setting.ts';

/** How stored objects are compared with what the rows know of them. */
export interface ScrubConfig {
  /** Every object is looked at this often, without its bytes unless they are new. Hours; 0: no scrub at all. */
  readonly everyHours: number;
  /** The bytes of every object are read again within so many days, a part of them each hour. 0: never. */
  readonly readAllDays: number;
  /** Of reading. Bytes a second. */
  readonly bytesPerSecond: number;
}

const MIB = 1024 ** 2;

export const SCRUB = {
  everyHours: integer('SCRUB_EVERY_HOURS', {
    description:
      'Hours between two looks at every stored object (length, type, ETag; bytes of new ones); 0 for no comparing at all.',
    default: 24,
    min: 0,
    max: 720,
  }),
  readAllDays: integer('SCRUB_READ_ALL_DAYS', {
    description: 'Days in which the bytes of every stored object are read and compared again; 0 for never.',
    default: 30,
    min: 0,
    max: 365,
  }),
  bytesPerSecond: bytes('SCRUB_BYTES_PER_SECOND', {
    description: 'Bytes that comparing may read in a second.',
    default: 20 * MIB,
    min: 1024,
    max: 10 * 1024 * MIB,
  }),
};

export function readScrub(read: Read): ScrubConfig {
  return {
    everyHours: read(SCRUB.everyHours),
    readAllDays: read(SCRUB.readAllDays),
    bytesPerSecond: read(SCRUB.bytesPerSecond),
  };
}
