import type { Db, ListedFile, ListedVariant } from '../../db/schema.ts';
import { appealStandings, type AppealStanding } from '../../db/review.ts';
import { listShownVariants } from '../../db/variants.ts';
import { type FileKind, type FileState, isPublic } from '../../domain/file-state.ts';
import { isHint } from '../../domain/photo-coach.ts';
import { VARIANTS, type VariantName } from '../../domain/renditions.ts';
import { MAX_APPEALS } from '../../domain/review-case.ts';
import type { Cdn } from '../../ports/cdn.ts';
import { lostKeys } from '../damage.ts';
import type { Photo, PhotoVariant } from '../photo.ts';

/** States in which no object has been made of a file yet, so that none needs to be looked for. */
const HAS_NONE: ReadonlySet<FileState> = new Set(['pending', 'received', 'checking']);

/** Rows as clients see them, with their variants, in the order given. `inside`: the viewer is owner or staff. */
export async function toPhotos(
  deps: { readonly db: Db; readonly cdn: Cdn },
  files: readonly ListedFile[],
  inside: boolean,
): Promise<Photo[]> {
  const variants = Map.groupBy(
    await listShownVariants(
      deps.db,
      files.filter((file) => !HAS_NONE.has(file.state)).map((file) => file.id),
    ),
    (variant) => variant.file_id,
  );
  const lost = await lostKeys(deps.db, files);
  const appeals = await appealsOf(deps.db, inside ? files : []);
  return files.map((file) => ({
    ...toPhoto(deps.cdn, file, variants.get(file.id) ?? [], { inside, lost }),
    ...appeals.get(file.id),
  }));
}

const APPEALABLE: ReadonlySet<FileState> = new Set(['in_review', 'rejected', 'taken_down']);

async function appealsOf(db: Db, files: readonly ListedFile[]): Promise<Map<string, Pick<Photo, 'appeal'>>> {
  const shown = files.filter((file) => APPEALABLE.has(file.state) && file.kind !== 'verification_document');
  const standings = await appealStandings(
    db,
    shown.map((file) => file.id),
  );
  return new Map(
    shown.flatMap(({ id, state }) => {
      const standing = standings.get(id);
      if (state === 'in_review' && standing === undefined) return [];
      return [[id, { appeal: appealOf(standing) }] as const];
    }),
  );
}

function appealOf(standing: AppealStanding | undefined): NonNullable<Photo['appeal']> {
  if (standing === undefined) return { outcome: null, left: MAX_APPEALS };
  const { made, outcome } = standing;
  const left = Math.max(0, MAX_APPEALS - made);
  return { outcome: outcome === 'withdrawn' ? null : (outcome ?? 'open'), left };
}

function toPhoto(
  cdn: Cdn,
  file: ListedFile,
  rows: readonly ListedVariant[],
  { inside, lost }: { inside: boolean; lost: ReadonlySet<string> },
): Photo {
  const isReadable = (row: ListedVariant) =>
    !lost.has(row.key) && (file.archive === 'none' || row.name !== 'original');
  const shown = isPublic(file.state) ? rows.filter(isReadable) : [];
  const original = rows.find((row) => row.name === 'original');
  return {
    id: file.id,
    kind: file.kind,
    itemId: file.item_id,
    ownerId: file.owner_id,
    state: file.state,
    stage: file.stage,
    archive: file.archive,
    position: file.position,
    reason: reasonOf(file),
    warnings: warningsFor(file, inside),
    alt: file.alt,
    width: original?.width ?? null,
    height: original?.height ?? null,
    bytes: original?.bytes ?? file.upload_bytes,
    format: original?.format ?? null,
    sha256: inside ? file.upload_sha256 : null,
    placeholder: file.placeholder,
    createdAt: file.created_at.toISOString(),
    publishedAt: file.published_at?.toISOString() ?? null,
    variants: groupVariants(cdn, file.kind, shown),
    srcset: { jpeg: srcset(cdn, shown, 'jpeg'), webp: srcset(cdn, shown, 'webp') },
  };
}

function reasonOf(file: ListedFile): Photo['reason'] {
  if (file.reason_code === null) return null;
  const reason = { code: file.reason_code, message: file.reason_message ?? file.reason_code };
  const isRefused = file.state === 'rejected' || file.state === 'taken_down';
  return file.content_reason === null || !isRefused ? reason : { ...reason, reasonCode: file.content_reason };
}

/** Hints are for those who can do something about them; buyers get what concerns them. */
function warningsFor(file: ListedFile, inside: boolean): readonly string[] {
  if (!inside) return file.warnings.filter((code) => !isHint(code));
  const isSaid = new Set(file.warnings);
  return [...file.warnings, ...(file.hints ?? []).filter((hint) => !isSaid.has(hint))];
}

function groupVariants(
  cdn: Cdn,
  kind: FileKind,
  rows: readonly ListedVariant[],
): Partial<Record<VariantName, PhotoVariant>> {
  const grouped: Partial<Record<VariantName, PhotoVariant>> = {};
  if (kind === 'verification_document') return grouped;
  for (const name of VARIANTS) {
    const made = rows.filter((row) => row.name === name);
    const [first] = made;
    if (first === undefined) continue;
    grouped[name] = {
      auto: cdn.url(first.key.replace(/\.[a-z]+$/, '.auto')),
      width: first.width,
      height: first.height,
      formats: Object.fromEntries(
        made.map((row) => [row.format, { url: cdn.url(row.key), bytes: row.bytes }]),
      ),
    };
  }
  return grouped;
}

/** `url 300w, url 800w, …` of the renditions in that format, smallest first, each width once. */
function srcset(cdn: Cdn, rows: readonly ListedVariant[], format: 'jpeg' | 'webp'): string {
  const byWidth = new Map(
    rows.filter((row) => row.format === format && row.name !== 'original').map((row) => [row.width, row]),
  );
  return [...byWidth.values()]
    .toSorted((a, b) => a.width - b.width)
    .map((row) => `${cdn.url(row.key)} ${row.width}w`)
    .join(', ');
}
