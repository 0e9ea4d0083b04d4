import { sql } from 'kysely';
import type { PhotoDocument } from '#src/domain/photo-document.ts';
import { searchWords } from '#src/domain/search-words.ts';
import type { IndexEntry, PhotoQuery } from '#src/ports/search.ts';

/** An entry as the statement that writes it takes it. */
export function rowOf({ id, version, document }: IndexEntry) {
  if (document === null) return { id, version, document };
  const { title, alt, labels, category } = document;
  return {
    id,
    version,
    document,
    title,
    alt,
    labels: labels.join(' '),
    category: searchWords(category ?? ''),
    tags: tagsOf(document),
  };
}

/** What is found by equality, as one list under one index. */
function tagsOf(document: PhotoDocument): string[] {
  const { format, orientation, category, state, ownerId, itemId, colors } = document;
  return [
    ...(document.isPublic ? [PUBLIC] : []),
    tag('owner', ownerId),
    tag('item', itemId),
    tag('state', state),
    ...(format === null ? [] : [tag('format', format)]),
    ...(orientation === null ? [] : [tag('orientation', orientation)]),
    ...(category === null ? [] : [tag('category', category)]),
    ...colors.map((color) => tag('color', color)),
  ];
}

/** What must hold of a row. */
export function conditions({ scope, filters }: Pick<PhotoQuery, 'scope' | 'filters'>) {
  const { minWidth, minHeight, minQuality, color, ownerId, itemId, state, format, orientation, category } =
    filters;
  const wanted = Object.entries({
    color,
    owner: ownerId,
    item: itemId,
    state,
    format,
    orientation,
    category,
  }).flatMap(([name, value]) => (value === undefined ? [] : [tag(name, value)]));
  const isPublic = sql`tags @> ${[PUBLIC]}::text[]`;
  const own = scope.ownerId === null ? null : sql`tags @> ${[tag('owner', scope.ownerId)]}::text[]`;
  return sql.join(
    [
      scope.all ? sql`document is not null` : own === null ? isPublic : sql`(${isPublic} or ${own})`,
      ...(wanted.length === 0 ? [] : [sql`tags @> ${wanted}::text[]`]),
      ...(minWidth === undefined ? [] : [sql`width >= ${minWidth}`]),
      ...(minHeight === undefined ? [] : [sql`height >= ${minHeight}`]),
      ...(minQuality === undefined ? [] : [sql`quality >= ${minQuality}`]),
    ],
    sql` and `,
  );
}

const PUBLIC = 'public';
const tag = (name: string, value: string) => `${name}:${value}`;
