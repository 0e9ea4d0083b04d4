import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import { type KeyRotationDeps, rotateKey } from './key-rotation.ts';
import type { Run, RunsService } from './runs.service.ts';

export interface KeysService {
  /**
   * Makes a new wrapping key and starts a run that re-wraps the key of every document with it. `destroyOld`: when that
   * is done the older wrapping keys end at once, for when one may have leaked. With `dryRun` no key is made.
   * FORBIDDEN, UNSUPPORTED where the vault's key is fixed, KEYS_UNAVAILABLE.
   */
  rotate(who: Principal, options: { readonly dryRun: boolean; readonly destroyOld: boolean }): Promise<Run>;
}

export function createKeysService(deps: KeyRotationDeps & { readonly runs: RunsService }): KeysService {
  return {
    async rotate(who, { dryRun, destroyOld }) {
      assertMayAdminister(who, 'rotate_keys');
      if (!deps.vault.capabilities.supportsRotation)
        throw new StorageError('UNSUPPORTED', 'The wrapping key is fixed: name an alias in KMS_KEY_ID.');
      if (!dryRun) await rotateKey(deps, who.userId);
      return deps.runs.start(who, 'rewrap-keys', { destroyOld }, { dryRun });
    },
  };
}
