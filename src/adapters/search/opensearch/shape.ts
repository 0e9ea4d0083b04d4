import { z } from 'zod';
import { COLORS } from '#src/domain/colors.ts';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { ORIENTATIONS, type PhotoDocument } from '#src/domain/photo-document.ts';
import { OUTPUT_FORMATS } from '#src/domain/renditions.ts';

/** Of the mapping: another one gets another name, so that an older version of the service keeps its own. */
export const SHAPE = 'v1';

/** Says in the index itself who made it. */
export const MADE_BY = 'localex-storage';

const keyword = { type: 'keyword' } as const;
const integer = { type: 'integer' } as const;
const text = { type: 'text', analyzer: 'words', copy_to: 'words' } as const;

/** Every field by name; a document with any other one is refused. */
const PROPERTIES = {
  id: keyword,
  itemId: keyword,
  ownerId: keyword,
  isPublic: { type: 'boolean' },
  state: keyword,
  reason: keyword,
  listing: keyword,
  category: { type: 'keyword', copy_to: 'words' },
  title: text,
  alt: text,
  labels: text,
  // Everything that a text search looks at; the beginnings of words as terms of their own, so that "b" costs no more than "bike".
  words: { type: 'text', analyzer: 'words', index_prefixes: { min_chars: 1, max_chars: 10 } },
  format: keyword,
  width: integer,
  height: integer,
  orientation: keyword,
  colors: keyword,
  quality: integer,
  publishedAt: { type: 'date' },
  version: { type: 'long' },
  /** A tombstone: nothing but an id and a version. */
  deleted: { type: 'boolean' },
} as const;

/** What an index is made with. Sorted by id, so that the newest are found without looking at all. */
export function indexBody(shards: number) {
  return {
    settings: {
      number_of_shards: shards,
      auto_expand_replicas: '0-1',
      'sort.field': 'id',
      'sort.order': 'desc',
      analysis: {
        filter: {
          stop: { type: 'stop', stopwords: '_english_' },
          stems: { type: 'stemmer', language: 'english' },
        },
        analyzer: {
          words: {
            type: 'custom',
            tokenizer: 'standard',
            filter: ['lowercase', 'asciifolding', 'stop', 'stems'],
          },
        },
      },
    },
    mappings: { dynamic: 'strict', _meta: { madeBy: MADE_BY, shape: SHAPE }, properties: PROPERTIES },
  };
}

const Mapping = z.object({
  dynamic: z.string().optional(),
  _meta: z.object({ madeBy: z.string(), shape: z.string() }).optional(),
  properties: z.record(z.string(), z.object({ type: z.string().optional() })).default({}),
});

/** What is wrong with the mapping of an index that is to be ours; null when it is as we make it. */
export function mappingProblem(mapping: unknown): string | null {
  const found = Mapping.safeParse(mapping);
  if (!found.success) return 'it was not made by this service';
  const { _meta: meta, dynamic, properties } = found.data;
  if (meta?.madeBy !== MADE_BY) return 'it was not made by this service';
  if (dynamic !== 'strict') return 'its mapping takes fields of any name';
  const wrong = Object.entries(PROPERTIES).filter(([name, { type }]) => properties[name]?.type !== type);
  if (wrong.length > 0) return `its mapping has other types: ${wrong.map(([name]) => name).join(', ')}`;
  const more = Object.keys(properties).filter((name) => !Object.hasOwn(PROPERTIES, name));
  return more.length === 0 ? null : `its mapping has fields of others: ${more.join(', ')}`;
}

/** A document as it comes back. */
export const StoredDocument: z.ZodType<PhotoDocument> = z.object({
  id: z.string(),
  itemId: z.string(),
  ownerId: z.string(),
  isPublic: z.boolean(),
  state: z.enum(FILE_STATES),
  reason: z.string().nullable(),
  listing: z.enum(['draft', 'active', 'sold', 'withdrawn']),
  category: z.string().nullable(),
  title: z.string(),
  alt: z.string(),
  labels: z.array(z.string()),
  format: z.enum(OUTPUT_FORMATS).nullable(),
  width: z.number().nullable(),
  height: z.number().nullable(),
  orientation: z.enum(ORIENTATIONS).nullable(),
  colors: z.array(z.enum(COLORS)),
  quality: z.number().nullable(),
  publishedAt: z.string().nullable(),
});
