import { StorageError } from '../../domain/errors.ts';
import type { Look } from './look.ts';

/** What a walk has come to so far, this page not counted. */
interface Walked {
  readonly checked: number;
  /** Objects that were not there, and were not known to be lost. */
  readonly missed: number;
}

/** Fewer are believed, whatever their share: somebody removed a photo by hand. */
const FEW = 10;
/** A page of a walk with fewer objects says nothing by itself: the last one may be that of one seller. */
const WHOLE_PAGE = 50;
/** Past so many of a walk their share of all that was looked at counts, too. */
const MANY = 100;
const SHARE_OF_PAGE = 1 / 2;
const SHARE_OF_WALK = 1 / 10;

/** Of these objects, those that are not there, and of which nobody knew it. */
export function missedBy(looks: readonly Look[]): number {
  return looks.filter(({ object, is }) => is?.finding?.kind === 'missing' && object.damagedAt === null)
    .length;
}

/**
 * Tells a store that is another one, an empty folder where a disk should be mounted say, or that lost much, from objects that are
 * missing: it answers, and that is why it is believed. More than half of a page, or a tenth of a long walk, is for people to
 * decide; nothing of that page is done. Errors: CONFLICT.
 */
export function assertBelievable(looks: readonly Look[], walked: Walked): void {
  const missing = missedBy(looks);
  const isOfAPage =
    missing >= FEW &&
    missing > looks.length * SHARE_OF_PAGE &&
    (looks.length >= WHOLE_PAGE || walked.checked === 0);
  const missed = walked.missed + missing;
  const checked = walked.checked + looks.length;
  const isOfTheWalk = missing > 0 && missed >= MANY && missed > checked * SHARE_OF_WALK;
  if (!isOfAPage && !isOfTheWalk) return;
  const found = isOfAPage ? `${missing} of ${looks.length}` : `${missed} of ${checked}`;
  throw new StorageError(
    'CONFLICT',
    `${found} objects that were looked at are missing: this may not be the store that it was. If they are lost indeed, start a scrub with acceptLoss.`,
    { details: { missing: isOfAPage ? missing : missed, of: isOfAPage ? looks.length : checked } },
  );
}
