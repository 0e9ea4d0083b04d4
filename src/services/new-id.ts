import { v7 } from 'uuid';
import { type FileId, fileId } from '../domain/ids.ts';

/** A new UUIDv7 (RFC 9562): sorts by time of creation, and stays unique when the clock jumps back. */
export function newFileId(): FileId {
  return fileId(v7());
}
