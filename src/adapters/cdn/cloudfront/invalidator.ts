import { CreateInvalidationCommand, GetInvalidationCommand } from '@aws-sdk/client-cloudfront';
import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { v7 } from 'uuid';
import type { Clock } from '#src/ports/clock.ts';
import type { Log } from '#src/ports/log.ts';
import type { NewPurgeBatch, PurgeBatch, PurgeLedger } from '#src/ports/purge-ledger.ts';
import { failureOf, reasonOf } from './client.ts';
import { CLOUDFRONT_LIMITS } from './limits.ts';
import { isWildcard, planPurge, type Room } from './plan.ts';

/** An invalidation takes seconds to minutes: its state is asked for this often. */
const ASK_MS = 5_000;
/** After a failure: doubling, with full jitter. When too much is in progress, slots open at the pace of CloudFront. */
const RETRY = { baseMs: 2_000, capMs: 120_000 };
const MISCONFIGURED_RETRY_MS = 300_000;
/** As many as one batch may hold, and duplicates. */
const PENDING_AT_ONCE = 6_000;

export interface InvalidatorOptions {
  readonly client: CloudFrontClient;
  readonly distributionId: string;
  readonly ledger: PurgeLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly askMs?: number;
  readonly createIntervalMs?: number;
  readonly retry?: { readonly baseMs: number; readonly capMs: number };
}

export interface Invalidator {
  /**
   * Does what is due: asks after batches in progress, sends again those that are not known to have arrived, and makes one
   * of what is pending. Any process may call it, at any time, also two at once: a batch is written down under its caller
   * reference before it is sent, and CloudFront answers the same call twice with the same invalidation.
   */
  advance(): Promise<void>;
}

/** Carries the ledger's purges to CloudFront, within its limits. */
export function createInvalidator(options: InvalidatorOptions): Invalidator {
  const { client, distributionId, ledger, clock, log, askMs = ASK_MS, retry = RETRY } = options;
  const { createIntervalMs = CLOUDFRONT_LIMITS.createIntervalMs } = options;
  let lastCreate = 0;

  const mayCreate = () => clock.now().getTime() - lastCreate >= createIntervalMs;

  async function send(
    batch: Pick<PurgeBatch, 'id' | 'callerReference' | 'paths' | 'attempts'>,
  ): Promise<void> {
    lastCreate = clock.now().getTime();
    const items = batch.paths.map((path) => `/${path}`);
    try {
      const { Invalidation } = await client.send(
        new CreateInvalidationCommand({
          DistributionId: distributionId,
          InvalidationBatch: {
            CallerReference: batch.callerReference,
            Paths: { Quantity: items.length, Items: items },
          },
        }),
      );
      await ledger.sent(batch.id, Invalidation?.Id ?? '', askMs);
    } catch (error) {
      await recover(batch, error);
    }
  }

  async function recover(
    batch: Pick<PurgeBatch, 'id' | 'paths' | 'attempts'>,
    error: unknown,
  ): Promise<void> {
    const failure = failureOf(error);
    const reason = reasonOf(error);
    const context = { batch: batch.id, paths: batch.paths.length, reason };
    switch (failure) {
      case 'taken':
        log.error(context, 'a caller reference was taken by other paths; the batch is sent under another');
        return ledger.replace(batch.id, [newBatch(batch.paths)]);
      case 'refused':
        if (batch.paths.length === 1) {
          log.error(context, 'CloudFront will not purge this path');
          return ledger.abandoned(batch.id, reason);
        }
        log.warn(context, 'CloudFront refused a batch; its halves are tried');
        return ledger.replace(batch.id, halves(batch.paths));
      case 'misconfigured':
        log.error(context, 'purges wait until CloudFront lets us in');
        return ledger.failed(batch.id, MISCONFIGURED_RETRY_MS, reason);
      case 'full':
      case 'conflict':
      case 'later': {
        const delay = Math.random() * Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(batch.attempts, 10));
        log.warn({ ...context, delay }, 'a purge has to be sent again');
        return ledger.failed(batch.id, delay, reason);
      }
    }
  }

  async function ask(batch: PurgeBatch, invalidationId: string): Promise<void> {
    try {
      const { Invalidation } = await client.send(
        new GetInvalidationCommand({ DistributionId: distributionId, Id: invalidationId }),
      );
      if (Invalidation?.Status !== 'Completed') return await ledger.stillOpen(batch.id, askMs);
      const purged = new Set(Invalidation.InvalidationBatch?.Paths?.Items);
      if (batch.paths.every((path) => purged.has(`/${path}`))) return await ledger.completed(batch.id);
      log.error(
        { batch: batch.id, invalidationId },
        'an invalidation does not hold the paths that were sent',
      );
      await ledger.replace(batch.id, [newBatch(batch.paths)]);
    } catch (error) {
      const reason = reasonOf(error);
      // Invalidations are forgotten after a while: what was done then is not known, so it is done again.
      if (error instanceof Error && error.name === 'NoSuchInvalidation')
        await ledger.replace(batch.id, [newBatch(batch.paths)]);
      else await ledger.failed(batch.id, askMs, reason);
    }
  }

  return {
    async advance() {
      for (const batch of (await ledger.listOpen()).filter(({ isDue }) => isDue)) {
        if (batch.invalidationId !== null) await ask(batch, batch.invalidationId);
        else if (mayCreate()) await send(batch);
      }
      if (!mayCreate()) return;
      const plan = planPurge(await ledger.listPending(PENDING_AT_ONCE), roomBeside(await ledger.listOpen()));
      if (plan === null) return;
      const batch = newBatch(plan.paths);
      if (await ledger.form(batch, plan.pending)) await send({ ...batch, attempts: 0 });
    },
  };
}

/** What may be sent while those are in progress, or may have arrived without our knowing. */
function roomBeside(open: readonly PurgeBatch[]): Room {
  const paths = open.flatMap((batch) => batch.paths);
  const wildcards = paths.filter(isWildcard).length;
  return {
    paths: CLOUDFRONT_LIMITS.pathsInProgress - (paths.length - wildcards),
    wildcards: CLOUDFRONT_LIMITS.wildcardsInProgress - wildcards,
  };
}

function newBatch(paths: readonly string[]): NewPurgeBatch {
  const id = v7();
  return { id, callerReference: `localex-${id}`, paths };
}

function halves(paths: readonly string[]): readonly NewPurgeBatch[] {
  const middle = Math.ceil(paths.length / 2);
  return [newBatch(paths.slice(0, middle)), newBatch(paths.slice(middle))];
}
