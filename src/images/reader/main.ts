import { setPriority } from 'node:os';
import sharp from 'sharp';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { Request, WorkerReply } from '../protocol.ts';
import { fromRaster, type Raster, restrictLoaders, toRaster } from '../worker/sharp.ts';
import { CODES_VERSION, readCodes } from './codes.ts';
import type { Read, ReadCommand } from './protocol.ts';
import { loadTextModel } from './text.ts';

/** Longest edge that codes are looked for in, and that is given to the text model, in pixels. */
const CODE_EDGE = 1600;
/** What the text model's library is given: thin strokes survive it. */
const JPEG_QUALITY = 92;
/** Low priority: whoever waits for a photo comes first. At the lowest it would hardly ever get a turn on a busy machine. */
const NICE = 10;

/** The process that reads text and codes: one photo at a time, by message. Ends with its parent. */
setPriority(NICE);
restrictLoaders({ heic: false, avif: true });
const { textEdge } = readSettings(process.argv[2]);

process.on('message', (message: Request<ReadCommand>) => {
  void read(message.command.bytes).then(
    (result) => send({ id: message.id, result }),
    (error: unknown) => send({ id: message.id, ...explain(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function read(bytes: Uint8Array): Promise<Read> {
  const picture = await decoded(bytes);
  const codes = await readCodes(picture);
  const model = await loadTextModel(textEdge);
  const lines = await model.read(await jpegOf(picture), picture.width, picture.height);
  return { lines, codes, versions: { 'pp-ocr-v4-mobile': model.version, zxing: CODES_VERSION } };
}

/** On white, as a page shows it. */
async function decoded(bytes: Uint8Array): Promise<Raster> {
  try {
    const size = { fit: 'inside', withoutEnlargement: true } as const;
    return await toRaster(
      sharp(bytes).resize(CODE_EDGE, CODE_EDGE, size).flatten({ background: '#ffffff' }).removeAlpha(),
    );
  } catch (error) {
    throw new StorageError('INVALID_IMAGE', undefined, { cause: error });
  }
}

function jpegOf(picture: Raster): Promise<Buffer> {
  return fromRaster(picture).jpeg({ quality: JPEG_QUALITY }).toBuffer();
}

function explain(error: unknown): { code: StorageError['code']; message: string } {
  if (isStorageError(error)) return { code: error.code, message: error.message };
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { code: 'IMAGE_PROCESS_FAILED', message: 'Its text could not be read.' };
}

function send(reply: WorkerReply): void {
  process.send?.(reply);
}

/** The parent is the one writer of this text. */
function readSettings(text: string | undefined): { readonly textEdge: number } {
  const value: { readonly textEdge: number } = JSON.parse(text ?? '{}');
  return value;
}
