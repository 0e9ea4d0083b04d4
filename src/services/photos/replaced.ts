import type { FileRow } from '../../db/schema.ts';
import type { Reason } from '../removal.ts';

/** Why a profile photo is public no longer. */
export const REPLACED: Reason = { code: 'CONFLICT', message: 'A newer profile photo took its place.' };

/** Whether it was public until its successor was, and is kept for a legal hold alone. */
export function isReplaced(file: Pick<FileRow, 'kind' | 'state' | 'reason_code'>): boolean {
  return file.kind === 'profile_photo' && file.state === 'taken_down' && file.reason_code === REPLACED.code;
}
