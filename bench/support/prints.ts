import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import sharp from 'sharp';
import type { Database } from '#src/db/schema.ts';
import { type Fingerprint, LOOK_SIDE } from '#src/domain/fingerprint.ts';
import { LANDMARK_FREQUENCIES } from '#src/domain/landmark-frequencies.ts';
import { fingerprintOf } from '#src/images/worker/fingerprint.ts';
import { listPhotos, photoPath } from '#test/support/photos.ts';

/** Windows of each photo, so that there are more landmarks than there are photos. */
const WINDOWS = 20;
const WINDOW_EDGE = 480;

/** Fingerprints of windows at random places in the photos of the fixture folder: real patches, in great number. */
export async function fixturePrints(): Promise<Fingerprint[]> {
  const prints: Fingerprint[] = [];
  for (const { name } of listPhotos().filter(({ type }) => type !== 'image/heic')) {
    const photo = sharp(await readFile(photoPath(name)))
      .autoOrient()
      .resize(1600, 1600, { fit: 'inside' });
    const { data, info } = await photo
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: 3 } as const;
    for (let window = 0; window < WINDOWS; window++) {
      const edge = Math.min(WINDOW_EDGE, info.width, info.height);
      const cut = await sharp(data, { raw })
        .extract({
          left: among(info.width - edge),
          top: among(info.height - edge),
          width: edge,
          height: edge,
        })
        .raw()
        .toBuffer();
      prints.push(await fingerprintOf({ data: cut, width: edge, height: edge, channels: 3 }));
    }
  }
  return prints;
}

/** Bits of a landmark that are turned over: with so many, made ones share tokens as often as real ones of other photos. */
const TURNED = 0.125;

const SPECKLED = Buffer.from(
  Uint8Array.from({ length: LOOK_SIDE ** 2 }, (_, at) => (at * 97) % 256),
).toString('base64');

/** A fingerprint of no picture: landmarks of several real ones, each with bits turned over, and a hash by chance. */
export function noise(real: readonly Fingerprint[]): Fingerprint {
  const landmarks = Array.from({ length: 30 }, () => {
    const from = real[among(real.length)]?.landmarks ?? [];
    const [bits = among(SPAN), first = 1, second = 2, third = 4] = from[among(from.length)] ?? [];
    return [bits ^ turned(), first, second, third] as const;
  });
  const hash = Array.from({ length: 64 }, () => among(16).toString(16)).join('');
  return { hash, landmarks, look: SPECKLED };
}

function turned(): number {
  let mask = 0;
  for (let bit = 0; bit < LANDMARK_FREQUENCIES.length; bit++) if (Math.random() < TURNED) mask |= 1 << bit;
  return mask;
}

function among(count: number): number {
  return Math.floor(Math.random() * count);
}

/** As many bits of a landmark as there are, below the tokens of bands. */
const SPAN = 2 ** LANDMARK_FREQUENCIES.length;

/**
 * Fills the table, with public photos that have no objects to the fingerprints, in the database itself: 30 landmarks each, made as `noise` makes them, and
 * the bands of a hash by chance. The index is made afterwards: a million single insertions would take an hour.
 */
export async function fillPrints(db: Database, count: number, real: readonly Fingerprint[]): Promise<void> {
  const pool = real.flatMap(({ landmarks }) => landmarks.map(([bits]) => bits));
  await sql`alter table fingerprints drop constraint fingerprints_file_id_fkey`.execute(db);
  await sql`alter table fingerprints disable trigger user`.execute(db);
  await sql`alter table fingerprint_tokens drop constraint fingerprint_tokens_pkey`.execute(db);
  await sql`
    insert into fingerprints (file_id, hash, tokens, look)
    select gen_random_uuid(),
      (select string_agg(floor(random() * 65536)::int::bit(16)::text, '') from generate_series(1, 16) where row > 0)::bit(256),
      array(select floor(${SPAN} + band * 65536 + random() * 65536)::int from generate_series(0, 15) as band where row > 0) ||
      array(select pool[1 + floor(random() * cardinality(pool))::int] #
              (floor(random() * ${SPAN})::int & floor(random() * ${SPAN})::int & floor(random() * ${SPAN})::int)
            from generate_series(1, 30) where row > 0),
      ${Buffer.from(SPECKLED, 'base64')}
    from generate_series(1, ${count}::int) as row, (select ${pool}::integer[] as pool) as given`.execute(db);
  await sql`alter table files disable trigger user`.execute(db);
  await sql`
    insert into files (id, kind, owner_id, state, filename)
    select file_id, 'profile_photo', 'seller-' || id, 'ready', 'x.jpg' from fingerprints`.execute(db);
  await sql`alter table files enable trigger user`.execute(db);
  await sql`vacuum analyze files`.execute(db);
  await sql`alter table fingerprints enable trigger user`.execute(db);
  await sql`
    insert into fingerprint_tokens (token, print_id)
    select token, id from fingerprints, index_tokens(tokens) as token`.execute(db);
  await sql`set maintenance_work_mem = '1GB'`.execute(db);
  await sql`alter table fingerprint_tokens add primary key (token, print_id)`.execute(db);
  await sql`vacuum analyze fingerprints`.execute(db);
  await sql`vacuum analyze fingerprint_tokens`.execute(db);
}

/** A picture that would leave what a row holds. */
export async function printOfRow(db: Database, id: number): Promise<Fingerprint> {
  const { tokens, hash } = await db
    .selectFrom('fingerprints')
    .select(['tokens', 'hash'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const landmarks = tokens.filter((token) => token < SPAN).map((bits) => [bits, 1, 2, 4] as const);
  const digits = hash.match(/.{4}/g)?.map((bits) => Number.parseInt(bits, 2).toString(16)) ?? [];
  return { hash: digits.join(''), landmarks, look: SPECKLED };
}
