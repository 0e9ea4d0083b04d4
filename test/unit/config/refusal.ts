import { z } from 'zod';
import { loadConfig } from '#src/config/index.ts';
import type { Environment, Problem } from '#src/config/report.ts';
import { isStorageError } from '#src/domain/errors.ts';

const Details = z.object({
  problems: z.array(z.object({ name: z.string(), holds: z.string(), expected: z.string() })),
});

/** How an environment is refused; an Error when it is not. */
export function refusal(
  env: Environment,
  adapters?: Parameters<typeof loadConfig>[1],
): { readonly message: string; readonly problems: readonly Problem[] } {
  try {
    loadConfig(env, adapters);
  } catch (error) {
    if (!isStorageError(error, 'INVALID_CONFIGURATION')) throw error;
    return { message: error.message, problems: Details.parse(error.details).problems };
  }
  throw new Error('Expected the configuration to be refused');
}
