import { findForeignContent } from '#src/adapters/scanner/basic/structure.ts';
import { readIcc } from '#src/domain/containers/icc.ts';
import { type ErrorCode, isStorageError } from '#src/domain/errors.ts';
import { findPdfProblem } from '#src/domain/pdf/inspect.ts';
import { inspectImage, type Inspection } from '#src/images/inspect.ts';
import { verifyOutput } from '#src/images/verify.ts';

/** What a photo may be refused with; any other error is a fault of ours. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_IMAGE',
  'UNSUPPORTED_TYPE',
  'TOO_MANY_PIXELS',
  'FILE_TOO_LARGE',
  'MALWARE_FOUND',
]);
const LIMITS = {
  maxPixels: 50_000_000,
  maxBytes: 10 * 1024 * 1024,
  formats: { heic: true, avif: true },
} as const;

/** Has every reader of ours look at the bytes: headers, profiles, the scanner's structure, PDFs, outputs. Throws at a fault. */
export async function readAll(bytes: Buffer): Promise<string> {
  const inspection = await inspectImage(bytes, LIMITS).catch((error: unknown) => {
    if (isStorageError(error) && REFUSALS.has(error.code)) return error.code;
    throw error;
  });
  if (typeof inspection !== 'string') checkInspection(bytes, inspection);
  findForeignContent(bytes);
  findPdfProblem(bytes);
  if (verifyOutput(bytes, { format: 'jpeg', width: 0, height: 0 }).clean)
    throw new Error('An output of no size is clean');
  return typeof inspection === 'string' ? inspection : 'read';
}

function checkInspection(bytes: Buffer, { container, header }: Inspection): void {
  if (container.icc !== null) readIcc(container.icc);
  if (header.orientation < 1 || header.orientation > 8) throw new Error(`Orientation ${header.orientation}`);
  if (container.end !== null && container.end > bytes.length) throw new Error('The end lies behind the file');
  for (const { name, start } of container.parts)
    if (!name.startsWith('item:') && start > bytes.length) throw new Error(`${name} begins behind the file`);
}
