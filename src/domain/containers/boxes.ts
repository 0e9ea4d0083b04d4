import { addTo, MalformedContainer } from './model.ts';

/** A box of ISO/IEC 14496-12: its type, its content, and the byte behind it. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** The box at an offset; null when it does not fit before `limit`. */
export function boxAt(bytes: Buffer, at: number, limit: number): Box | null {
  if (at + 8 > limit) return null;
  const size = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (size === 0) return { type, start: at + 8, end: limit };
  if (size === 1 && at + 16 <= limit) {
    const end = at + Number(bytes.readBigUInt64BE(at + 8));
    return end >= at + 16 && end <= limit ? { type, start: at + 16, end } : null;
  }
  return size >= 8 && at + size <= limit ? { type, start: at + 8, end: at + size } : null;
}

/** All boxes between two offsets. Throws when one does not fit. */
export function boxesIn(bytes: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const box = boxAt(bytes, at, to);
    if (box === null) throw new MalformedContainer('has a box that does not fit');
    addTo(boxes, box);
    at = box.end;
  }
  return boxes;
}

/** Version and flags at the head of a full box; content follows at `start`. */
export function fullBox(bytes: Buffer, box: Box): { version: number; flags: number; start: number } {
  return {
    version: bytes.readUInt8(box.start),
    flags: bytes.readUIntBE(box.start + 1, 3),
    start: box.start + 4,
  };
}

/** Reads unsigned numbers one after the other. */
export function cursor(
  bytes: Buffer,
  start: number,
): { next(size: number): number; text(length: number): string } {
  let at = start;
  return {
    next(size) {
      if (size === 0) return 0;
      const value = size === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, size);
      at += size;
      return value;
    },
    text(length) {
      const value = bytes.toString('latin1', at, at + length);
      at += length;
      return value;
    },
  };
}
