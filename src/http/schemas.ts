import { z } from 'zod';
import { ROLES } from '#src/domain/access.ts';
import { ERROR_CODES, type ErrorCode } from '#src/domain/errors.ts';
import { ARCHIVE_STATES } from '#src/domain/archive-state.ts';
import { FILE_KINDS, FILE_STATES, STAGES } from '#src/domain/file-state.ts';
import { FINDING_SOURCES } from '#src/domain/finding.ts';
import { isFileId, isItemId, isUserId } from '#src/domain/ids.ts';
import { OUTPUT_FORMATS, VARIANTS } from '#src/domain/renditions.ts';
import { CASE_SOURCES } from '#src/domain/review-case.ts';

// What goes in is checked by these, what goes out is cut down to them: a field that is not here is never sent.

export const FileIdParam = z.string().refine(isFileId, 'is a UUID in lower case').meta({ format: 'uuid' });
export const ItemIdParam = z
  .string()
  .refine(isItemId, 'is 1 to 64 letters, digits, "_" or "-"')
  .meta({ examples: ['bike-42'] });
export const UserIdParam = z
  .string()
  .refine(isUserId, 'is 1 to 64 letters, digits or any of _ - . @ : |')
  .meta({ examples: ['user-7'] });

export const PhotoParams = z.object({ id: FileIdParam });
export const ItemParams = z.object({ itemId: ItemIdParam });
export const UserParams = z.object({ userId: UserIdParam });

const codes = Object.keys(ERROR_CODES).filter((code): code is ErrorCode => Object.hasOwn(ERROR_CODES, code));

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(codes),
    detail: z.string(),
    instance: z.string(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457. `code` is the one to program against; `detail` is written for people.',
    examples: [
      {
        type: 'urn:localex:problem:unsupported-type',
        title: 'This type of file is not accepted',
        status: 415,
        code: 'UNSUPPORTED_TYPE',
        detail: 'This is not a JPEG, PNG, WebP, HEIC or AVIF photo.',
        instance: 'urn:request:019a8c6e-0000-7000-8000-000000000000',
      },
    ],
  });

const FormatUrl = z.object({ url: z.string(), bytes: z.int() });

export const PhotoVariant = z
  .object({
    auto: z.string().meta({ description: 'The format is chosen by the Accept header.' }),
    width: z.int(),
    height: z.int(),
    formats: z.object({
      jpeg: FormatUrl.optional(),
      webp: FormatUrl.optional(),
      png: FormatUrl.optional(),
      avif: FormatUrl.optional(),
    }),
  })
  .meta({ id: 'PhotoVariant' });

export const Photo = z
  .object({
    id: z.string(),
    kind: z.enum(FILE_KINDS),
    itemId: z.string().nullable(),
    ownerId: z.string(),
    state: z.enum(FILE_STATES),
    stage: z.enum(STAGES).nullable(),
    archive: z.enum(ARCHIVE_STATES).meta({
      description: 'Of the original: while it is not `none`, `variants` has no `original`.',
    }),
    position: z.int().nullable(),
    reason: z
      .object({
        code: z.string(),
        message: z.string(),
        reasonCode: z
          .string()
          .optional()
          .meta({ description: 'Of the list of reasons that moderators choose from.' }),
      })
      .nullable(),
    appeal: z
      .object({ outcome: z.enum(['open', 'upheld', 'refused']).nullable(), left: z.int() })
      .optional()
      .meta({
        description:
          'Of a refused photo, for its owner and staff: the last appeal, and how many more may be made.',
      }),
    warnings: z.array(z.string()).readonly().meta({
      description:
        'Codes. Owner and staff also read hints: BLURRY, DARK, TINY, SCREENSHOT, DUPLICATE_IN_LISTING.',
    }),
    alt: z.string().nullable(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    bytes: z.int().nullable(),
    format: z.enum(OUTPUT_FORMATS).nullable(),
    sha256: z.string().nullable().meta({ description: 'Of the uploaded bytes; owner and staff only.' }),
    placeholder: z.string().nullable().meta({ description: 'Thumbhash, base64.' }),
    createdAt: z.string(),
    publishedAt: z.string().nullable(),
    variants: z.object({
      original: PhotoVariant.optional(),
      large: PhotoVariant.optional(),
      medium: PhotoVariant.optional(),
      thumbnail: PhotoVariant.optional(),
    }),
    srcset: z.object({ jpeg: z.string(), webp: z.string() }),
  })
  .meta({ id: 'Photo', examples: [photoExample()] });

export const Gallery = z
  .object({
    photos: z.array(Photo).readonly(),
    version: z.int(),
    suggestedCover: z.string().nullable().meta({
      description:
        'A photo that would do clearly better as the cover than the first one; owner and staff only.',
    }),
  })
  .meta({ id: 'Gallery', description: '`version` is what If-Match of a new order names.' });

export const ItemStatus = z.enum(['draft', 'active', 'sold', 'withdrawn']);

export const Item = z
  .object({
    id: z.string(),
    title: z.string(),
    category: z.string().nullable(),
    status: ItemStatus,
    sellerId: z.string(),
    photosVersion: z.int(),
    photoCount: z.int(),
    cover: Photo.nullable(),
    createdAt: z.string(),
  })
  .meta({ id: 'Item' });

export const Finding = z
  .object({
    source: z.enum(FINDING_SOURCES),
    label: z.string(),
    confidence: z.number().nullable().meta({ description: '0 to 1; null where the source knows none.' }),
    region: z
      .object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() })
      .nullable()
      .meta({ description: 'In fractions of the upright photo.' }),
    model: z.string().nullable(),
    version: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).readonly(),
  })
  .meta({ id: 'Finding' });

export const ReviewEntry = z
  .object({
    photo: Photo,
    source: z.enum(CASE_SOURCES).meta({ description: 'The most urgent reason why it is in the queue.' }),
    findings: z.array(Finding).readonly(),
    item: z.object({ id: z.string(), title: z.string() }).nullable(),
    labels: z.array(z.object({ label: z.string(), confidence: z.number() })).readonly(),
    scan: z
      .object({
        verdict: z.enum(['clean', 'infected']),
        signature: z.string().nullable(),
        scanner: z.string(),
        version: z.string(),
        at: z.string(),
      })
      .nullable()
      .meta({ description: 'What the virus scanner said last.' }),
    reason: z.string().nullable(),
    viewUrl: z.string().nullable().meta({ description: 'Signed URL of the sanitised view.' }),
    appeal: z.string().nullable(),
    reports: z
      .array(z.object({ reasonCode: z.string(), count: z.int() }))
      .readonly()
      .meta({ description: 'Buyers who reported it, by what they named.' }),
    claim: z
      .object({ isYours: z.boolean(), until: z.string() })
      .nullable()
      .meta({ description: 'The moderator who has it before them.' }),
    waitingSince: z.string(),
  })
  .meta({ id: 'ReviewEntry' });

export const Reservation = z
  .object({
    id: z.string(),
    direct: z
      .object({ url: z.string(), fields: z.record(z.string(), z.string()).readonly() })
      .nullable()
      .meta({
        description: 'A form to post with the file as its last field; null where the store has none.',
      }),
    tus: z.object({ url: z.string() }),
  })
  .meta({ id: 'Reservation' });

export const SignedUrl = z.object({ url: z.string(), expiresAt: z.string() }).meta({ id: 'SignedUrl' });
export const Role = z.enum(ROLES);
export const Variant = z.enum(VARIANTS);
export const Format = z.enum(OUTPUT_FORMATS);

/** Text of one line that people read: trimmed, no control characters. */
export function line(max: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'has no control characters');
}

/** Page size and place of a list. */
export const Page = z.object({
  after: z.string().max(200).exactOptional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

function photoExample() {
  const url = (variant: string, extension: string) =>
    `https://photos.example/cdn/items/${variant}/bike-42/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.${extension}`;
  const variant = (name: string, width: number, height: number) => ({
    auto: url(name, 'auto'),
    width,
    height,
    formats: {
      jpeg: { url: url(name, 'jpg'), bytes: 184_223 },
      webp: { url: url(name, 'webp'), bytes: 121_870 },
    },
  });
  return {
    id: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
    kind: 'item_photo' as const,
    itemId: 'bike-42',
    ownerId: 'user-7',
    state: 'ready' as const,
    stage: null,
    archive: 'none' as const,
    position: 0,
    reason: null,
    warnings: ['SCALED_DOWN'],
    alt: 'A red bicycle leaning on a wall',
    width: 4000,
    height: 3000,
    bytes: 2_104_551,
    format: 'jpeg' as const,
    sha256: null,
    placeholder: '1QcSHQRnh493V4dIh4eXh1h4kJUI',
    createdAt: '2026-01-05T09:30:00.000Z',
    publishedAt: '2026-01-05T09:30:01.200Z',
    variants: { large: variant('large', 1200, 900), thumbnail: variant('thumbnail', 300, 225) },
    srcset: {
      jpeg: `${url('thumbnail', 'jpg')} 300w, ${url('large', 'jpg')} 1200w`,
      webp: `${url('thumbnail', 'webp')} 300w, ${url('large', 'webp')} 1200w`,
    },
  };
}
