import type { Session } from './session.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * Sends bytes as INSTREAM wants them: pieces, each with its length before it, and a length of zero at the end.
 *
 * @param answer the number of the command, whose answer ends the sending whenever it comes
 * @param count is told of each piece that was sent
 * @returns whether all was sent before an answer came
 */
export async function sendStream(
  session: Session,
  chunks: AsyncIterable<Uint8Array>,
  answer: number,
  count: (bytes: number) => void,
): Promise<boolean> {
  try {
    for await (const chunk of chunks)
      for (const piece of piecesOf(chunk)) {
        if (session.hasAnswer(answer)) return false;
        await session.write(lengthOf(piece.byteLength), piece);
        count(piece.byteLength);
      }
    if (session.hasAnswer(answer)) return false;
    await session.write(lengthOf(0));
    return true;
  } catch (error) {
    if (session.hasAnswer(answer)) return false;
    throw error;
  }
}

/** Four bytes, the highest first. */
export function lengthOf(bytes: number): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return length;
}

/** Never an empty one: its length would be the end. */
function* piecesOf(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
}
