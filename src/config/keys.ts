import { httpAddress } from './address.ts';
import { integer, optional, type Read } from './setting.ts';

export interface KeysConfig {
  /** How long a wrapping key wraps before the next one takes its place. */
  readonly rotationDays: number;
  /** After so long a wrapping key is destroyed, and what backups hold wrapped with it opens no more. */
  readonly lifetimeDays: number;
  /** Null: that of the bucket. */
  readonly kmsRegion: string | null;
  readonly kmsEndpoint: string | null;
}

export const KEYS = {
  rotationDays: integer('KEY_ROTATION_DAYS', {
    description: 'Days after which a new key wraps the keys of documents.',
    default: 7,
    min: 1,
    max: 365,
  }),
  lifetimeDays: integer('KEY_LIFETIME_DAYS', {
    description:
      'Days after which a wrapping key is destroyed: a backup of the database that is older opens no document.',
    default: 30,
    min: 9,
    max: 3650,
  }),
  kmsRegion: optional('KMS_REGION', {
    description: 'Region of the key in AWS KMS; S3_REGION when not set.',
    expected: 'a region such as eu-central-1',
    accepts: (value) => /^[a-z]{2}(-[a-z]+)+-\d$/.test(value),
  }),
  kmsEndpoint: httpAddress('KMS_ENDPOINT', {
    description: 'Another endpoint than that of the region.',
  }),
};

export function readKeys(read: Read): KeysConfig {
  return {
    rotationDays: read(KEYS.rotationDays),
    lifetimeDays: read(KEYS.lifetimeDays),
    kmsRegion: read(KEYS.kmsRegion),
    kmsEndpoint: read(KEYS.kmsEndpoint),
  };
}
