import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import type { KeyVault } from '../ports/key-vault.ts';
import type { Run, RunsService } from './runs.service.ts';

export interface KeysService {
  /**
   * Starts a run that makes a new wrapping key and re-wraps the key of every document with it. `destroyOld`: when that is
   * done the older wrapping keys end at once, for when one may have leaked. With `dryRun` no key is made.
   * FORBIDDEN, UNSUPPORTED where the vault's key is fixed, KEYS_UNAVAILABLE.
   */
  rotate(who: Principal, options: { readonly dryRun: boolean; readonly destroyOld: boolean }): Promise<Run>;
}

export interface KeysDeps {
  /** Keys are made and ended in the run: a process that answers requests needs no right to. */
  readonly vault: Pick<KeyVault, 'capabilities' | 'ping'>;
  readonly runs: Pick<RunsService, 'start'>;
}

export function createKeysService({ vault, runs }: KeysDeps): KeysService {
  return {
    async rotate(who, { dryRun, destroyOld }) {
      assertMayAdminister(who, 'rotate_keys');
      if (!vault.capabilities.supportsRotation)
        throw new StorageError('UNSUPPORTED', 'The wrapping key is fixed: name an alias in KMS_KEY_ID.');
      await vault.ping();
      return runs.start(who, 'rewrap-keys', { rotate: true, destroyOld }, { dryRun });
    },
  };
}
