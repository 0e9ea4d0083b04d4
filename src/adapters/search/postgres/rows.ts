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

/** What many photos have in common, as one list under one index. */
function tagsOf(document: PhotoDocument): string[] {
  const { format, orientation, category, state, colors } = document;
  return [
    ...(document.isPublic ? [PUBLIC] : []),
    tag('state', state),
    ...(format === null ? [] : [tag('format', format)]),
    ...(orientation === null ? [] : [tag('orientation', orientation)]),
    ...(category === null ? [] : [tag('category', category)]),
    ...colors.map((color) => tag('color', color)),
  ];
}

/** What must hold of a row. */
export function conditions({ scope, filters }: Pick<PhotoQuery, 'scope' | 'filters'>) {
  const { minWidth, minHeight, minQuality, ownerId, itemId, ...common } = filters;
  const tags = Object.entries(common).flatMap(([name, value]) =>
    value === undefined ? [] : [tag(name, value)],
  );
  const isPublic = sql`tags @> ${[PUBLIC]}::text[]`;
  const isVisible = scope.ownerId === null ? isPublic : sql`(${isPublic} or owner_id = ${scope.ownerId})`;
  return sql.join(
    [
      scope.all ? sql`document is not null` : isVisible,
      ...(tags.length === 0 ? [] : [sql`tags @> ${tags}::text[]`]),
      ...(ownerId === undefined ? [] : [sql`owner_id = ${ownerId}`]),
      ...(itemId === undefined ? [] : [sql`item_id = ${itemId}`]),
      ...(minWidth === undefined ? [] : [sql`width >= ${minWidth}`]),
      ...(minHeight === undefined ? [] : [sql`height >= ${minHeight}`]),
      ...(minQuality === undefined ? [] : [sql`quality >= ${minQuality}`]),
    ],
    sql` and `,
  );
}

const PUBLIC = 'public';
const tag = (name: string, value: string) => `${name}:${value}`;
