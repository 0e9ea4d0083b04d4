import { z } from 'zod';
import { FILE_KINDS, FILE_STATES } from '#src/domain/file-state.ts';
import { METADATA_KINDS } from '#src/domain/metadata.ts';
import { OUTPUT_FORMATS, VARIANTS } from '#src/domain/renditions.ts';

/** A receipt as it is sent. Its fields stand in the order in which the service hashes them. */
export const ReceiptSchema = z
  .object({
    statement: z.object({
      version: z.literal(1),
      photoId: z.string(),
      kind: z.enum(FILE_KINDS),
      state: z.enum(FILE_STATES),
      issuedAt: z.string(),
      upload: z.object({
        sha256: z.string().nullable(),
        bytes: z.int().nullable(),
        format: z.string().nullable().meta({ description: 'By its bytes.' }),
        receivedAt: z.string().nullable(),
      }),
      contained: z
        .array(z.object({ kind: z.enum(METADATA_KINDS), found: z.boolean().nullable() }))
        .readonly()
        .meta({ description: 'Null: an earlier version checked the photo and did not look for that kind.' }),
      trailingBytes: z.int().nullable().meta({ description: 'Behind the end of the picture.' }),
      removed: z
        .array(z.enum([...METADATA_KINDS, 'trailingBytes']))
        .readonly()
        .meta({ description: 'What was there and is in no output.' }),
      outputs: z
        .array(
          z.object({
            name: z.enum(VARIANTS),
            format: z.enum(OUTPUT_FORMATS),
            url: z.string().nullable().meta({ description: 'Null while it is not public.' }),
            width: z.int(),
            height: z.int(),
            bytes: z.int(),
            sha256: z.string(),
            readAgainAt: z.string(),
            clean: z.boolean(),
            findings: z.array(z.string()).readonly(),
            recipe: z.string().nullable(),
          }),
        )
        .readonly(),
      recipes: z
        .array(
          z.object({
            id: z.string(),
            encoder: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).readonly(),
            versions: z.record(z.string(), z.string()).readonly(),
          }),
        )
        .readonly(),
    }),
    sha256: z.string().meta({ description: 'Of `statement` as JSON without blanks.' }),
  })
  .meta({ id: 'Receipt' });
