import { createHash } from 'node:crypto';
import { recordAccess } from '../../db/access-log.ts';
import { listRecipes } from '../../db/recipes.ts';
import type { FileRow, VariantRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import type { Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic, isUnfinished } from '../../domain/file-state.ts';
import type { FileId } from '../../domain/ids.ts';
import { METADATA_KINDS, presentKinds } from '../../domain/metadata.ts';
import { OUTPUT_FORMATS, VARIANTS } from '../../domain/renditions.ts';
import { lostKeys } from '../damage.ts';
import type { ServiceDeps } from '../deps.ts';
import type { Receipt, ReceiptStatement } from '../receipt.ts';
import { fileFor } from './one-photo.ts';

type Deps = Pick<ServiceDeps, 'db' | 'cdn' | 'clock'>;

/**
 * What was in an upload, what of it is left in what we made of it, and how that was looked at: kinds and hashes, never a
 * value. For the owner and for staff; its hash is written into the audit ledger first, so that a receipt shown later can
 * be told from one that was altered.
 *
 * Errors: NOT_FOUND (also of a deleted photo, of a document, and of one that was refused before it was opened),
 * FORBIDDEN, CONFLICT while the photo is still being checked.
 */
export async function getReceipt(deps: Deps, who: Principal, id: FileId): Promise<Receipt> {
  const file = await fileFor(deps.db, who, 'read_content', id);
  if (file.kind === 'verification_document' || (file.findings === null && !isUnfinished(file.state)))
    throw new StorageError('NOT_FOUND', 'There is no receipt for this file.');
  if (file.findings === null)
    throw new StorageError('CONFLICT', 'The photo is still being checked; ask again in a moment.');
  const statement = await state(deps, file);
  const sha256 = createHash('sha256').update(JSON.stringify(statement)).digest('hex');
  await recordAccess(deps.db, {
    userId: who.userId,
    action: 'photo.receipt',
    fileId: id,
    details: { sha256 },
  });
  return { statement, sha256 };
}

/** The order of the fields is that of the API's schema: the hash is taken over the text that is sent. */
async function state(deps: Deps, file: FileRow): Promise<ReceiptStatement> {
  const findings = file.findings ?? {};
  const rows = inOrder(await listVariants(deps.db, [file.id]));
  const lost = await lostKeys(deps.db, [file]);
  const isClean = rows.length > 0 && rows.every((row) => row.report.clean);
  const recipes = await listRecipes(deps.db, [...new Set(rows.flatMap((row) => row.report.recipe ?? []))]);
  return {
    version: 1,
    photoId: file.id,
    kind: file.kind,
    state: file.state,
    issuedAt: deps.clock.now().toISOString(),
    upload: {
      sha256: file.upload_sha256,
      bytes: file.upload_bytes,
      format: file.source_format,
      receivedAt: file.received_at?.toISOString() ?? null,
    },
    contained: METADATA_KINDS.map((kind) => ({ kind, found: findings[kind] ?? null })),
    trailingBytes: findings.trailingBytes ?? null,
    removed: isClean ? presentKinds(findings) : [],
    outputs: rows.map((row) => ({
      name: row.name,
      format: row.format,
      url: isPublic(file.state) && !lost.has(row.key) ? deps.cdn.url(row.key) : null,
      width: row.width,
      height: row.height,
      bytes: row.bytes,
      sha256: row.sha256,
      readAgainAt: row.created_at.toISOString(),
      clean: row.report.clean,
      findings: row.report.findings,
      recipe: row.report.recipe ?? null,
    })),
    recipes: recipes.map(({ id, recipe }) => ({ id, encoder: recipe.encoder, versions: recipe.versions })),
  };
}

/** As they are planned: the original, then from large to small. */
function inOrder(rows: readonly VariantRow[]): VariantRow[] {
  const rank = (row: VariantRow) => VARIANTS.indexOf(row.name) * 10 + OUTPUT_FORMATS.indexOf(row.format);
  return rows.toSorted((a, b) => rank(a) - rank(b));
}
