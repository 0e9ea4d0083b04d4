import { type ClamdOptions, createClamdScanner } from '#src/adapters/scanner/clamd.ts';
import type { Scanner } from '#src/ports/scanner.ts';
import { systemClock } from '#src/ports/clock.ts';

/** A scanner on that clamd, as the service makes it unless told otherwise. */
export function clamdAt(url: string, options: Partial<ClamdOptions> = {}): Scanner {
  return createClamdScanner({
    url,
    connections: 4,
    timeoutMs: 20_000,
    maxBytes: 10 * 1024 * 1024,
    signatures: { maxAgeDays: 7, refuseOutdated: false },
    clock: systemClock,
    ...options,
  });
}
