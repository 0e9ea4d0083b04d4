import { listInactiveOriginals, listOldDocuments } from '../../db/lifecycle.ts';
import { movePart } from './move-class.ts';
import type { Part } from './work.ts';

export const archiveItemOriginals: Part = movePart('item-originals-archive', listInactiveOriginals);
export const archiveDocuments: Part = movePart('documents', listOldDocuments);
