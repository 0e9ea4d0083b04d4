import * as z from 'zod/mini';
import { ARCHIVE_STATES } from '../../../src/domain/archive-state.ts';
import { FILE_KINDS, FILE_STATES, STAGES } from '../../../src/domain/file-state.ts';
import { OUTPUT_FORMATS, VARIANTS } from '../../../src/domain/renditions.ts';

const Format = z.enum(OUTPUT_FORMATS);
const Variant = z.object({
  auto: z.string(),
  width: z.number(),
  height: z.number(),
  formats: z.partialRecord(Format, z.object({ url: z.string(), bytes: z.number() })),
});

/** What the API says about one photo. The shapes here are those of the HTTP contract, checked when an answer arrives. */
export const PhotoSchema = z.object({
  id: z.string(),
  kind: z.enum(FILE_KINDS),
  itemId: z.nullable(z.string()),
  ownerId: z.string(),
  state: z.enum(FILE_STATES),
  stage: z.nullable(z.enum(STAGES)),
  archive: z.enum(ARCHIVE_STATES),
  position: z.nullable(z.number()),
  reason: z.nullable(z.object({ code: z.string(), message: z.string(), reasonCode: z.optional(z.string()) })),
  appeal: z.optional(
    z.object({ outcome: z.nullable(z.enum(['open', 'upheld', 'refused'])), left: z.number() }),
  ),
  warnings: z.array(z.string()),
  alt: z.nullable(z.string()),
  width: z.nullable(z.number()),
  height: z.nullable(z.number()),
  placeholder: z.nullable(z.string()),
  createdAt: z.string(),
  variants: z.partialRecord(z.enum(VARIANTS), Variant),
  srcset: z.object({ jpeg: z.string(), webp: z.string() }),
});
export type Photo = z.infer<typeof PhotoSchema>;

export const GallerySchema = z.object({
  photos: z.array(PhotoSchema),
  version: z.number(),
  suggestedCover: z.nullable(z.string()),
});
export type Gallery = z.infer<typeof GallerySchema>;

export const ReceiptSchema = z.object({
  statement: z.object({
    removed: z.array(z.string()),
    trailingBytes: z.nullable(z.number()),
    outputs: z.array(z.object({ clean: z.boolean(), url: z.nullable(z.string()) })),
  }),
});
export type Receipt = z.infer<typeof ReceiptSchema>;

export const ITEM_STATUSES = ['draft', 'active', 'sold', 'withdrawn'] as const;
export const ItemSchema = z.object({
  id: z.string(),
  title: z.string(),
  category: z.nullable(z.string()),
  status: z.enum(ITEM_STATUSES),
  sellerId: z.string(),
  createdAt: z.string(),
  photoCount: z.number(),
  cover: z.nullable(PhotoSchema),
});
export type Item = z.infer<typeof ItemSchema>;
export type ItemStatus = Item['status'];

export const ItemPageSchema = z.object({ items: z.array(ItemSchema), next: z.nullable(z.string()) });

export const FoundPhotosSchema = z.object({
  photos: z.array(PhotoSchema),
  items: z.array(z.object({ id: z.string(), title: z.string() })),
  match: z.enum(['exact', 'similar']),
  next: z.nullable(z.string()),
});
export type FoundPhotos = z.infer<typeof FoundPhotosSchema>;

export const ReservationSchema = z.object({ id: z.string(), tus: z.object({ url: z.string() }) });
export const TokenSchema = z.object({ token: z.string() });
export const ProblemSchema = z.object({
  code: z.optional(z.string()),
  title: z.optional(z.string()),
  detail: z.optional(z.string()),
});
