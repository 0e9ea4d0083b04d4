import { USES_BUCKET } from '#test/support/storage-under-test.ts';
import { ADMIN } from './admin.ts';
import { FILES } from './files.ts';
import { LISTINGS } from './listings.ts';
import type { Row } from './row.ts';
import { SYSTEM } from './system.ts';

/** Routes that stand in for a bucket; where there is one it answers itself. */
const STAND_INS = ['sendUploadForm', 'getSignedObject'];
/** Every route, every caller. A route that is not here fails the test. */
export const ACCESS: readonly Row[] = [...SYSTEM, ...LISTINGS, ...FILES, ...ADMIN].filter(
  ({ operation }) => !USES_BUCKET || !STAND_INS.includes(operation),
);
