import { HEADER_BYTES, readImageHeader } from './image-header.ts';
import { RefusedHere } from './refused-here.ts';
import { decideScaling, describeScaling, MAX_BYTES, SCALED_EDGE, SCALED_QUALITY } from './scaling.ts';
import type { PreparedFile } from './upload-queue.ts';

/** The bytes to send for a chosen file: the file itself, or a smaller copy of it. @throws RefusedHere */
export async function prepareFile(file: File): Promise<PreparedFile> {
  const head = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  const decision = decideScaling({ bytes: file.size, header: readImageHeader(head) });
  if (decision.action === 'refuse') throw new RefusedHere(decision.code);
  if (decision.action === 'send') return { blob: file, name: file.name, notice: null };
  const blob = await scaleDown(file);
  if (blob.size > MAX_BYTES) throw new RefusedHere('FILE_TOO_LARGE');
  return { blob, name: withExtension(file.name, 'jpg'), notice: describeScaling(file.size, blob.size) };
}

/** A JPEG with the longest edge `SCALED_EDGE`, upright: the element applies the orientation. */
async function scaleDown(file: Blob): Promise<Blob> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(1, SCALED_EDGE / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    const context = canvas.getContext('2d');
    if (context === null) throw new RefusedHere('CANNOT_SCALE');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) =>
      canvas.toBlob(resolve, 'image/jpeg', SCALED_QUALITY),
    );
    // Frees the pixels at once: phones have little memory, and ten photos may be waiting.
    canvas.width = 0;
    if (blob === null) throw new RefusedHere('CANNOT_SCALE');
    return blob;
  } catch (error) {
    throw error instanceof RefusedHere ? error : new RefusedHere('CANNOT_SCALE');
  } finally {
    URL.revokeObjectURL(url);
  }
}

function withExtension(name: string, extension: string): string {
  return `${name.replace(/\.[^.]*$/, '')}.${extension}`;
}
