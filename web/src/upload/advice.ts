import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { LocalCode } from './refused-here.ts';

/** Everything that can stop a photo: the service's codes, this page's own, and no connection. */
export type AdviceCode = ErrorCode | LocalCode | 'OFFLINE';

export interface Advice {
  /** What happened, in the seller's words. */
  readonly what: string;
  /** What to do about it. */
  readonly next: string;
  /** Whether a button that tries the same file again makes sense. */
  readonly retry: boolean;
}

/** For every code a sentence on what happened and one on what to do. */
export function adviceFor(code: string): Advice {
  return isAdviceCode(code) ? ADVICE[code] : ADVICE.INTERNAL;
}

export function isAdviceCode(code: string): code is AdviceCode {
  return Object.hasOwn(ADVICE, code);
}

const again = (what: string, next = 'Try again in a moment.'): Advice => ({ what, next, retry: true });
const other = (what: string, next: string): Advice => ({ what, next, retry: false });

const ADVICE: Readonly<Record<AdviceCode, Advice>> = {
  INVALID_REQUEST: other(
    'The photo could not be sent like this.',
    'Load the page again and add the photo once more.',
  ),
  INVALID_IMAGE: other(
    'This file is damaged or not a photo.',
    'Open it on your device to check it, then save it again as JPEG, or take a new photo.',
  ),
  INVALID_KEY: other('The photo could not be stored under its name.', 'Rename the file and add it again.'),
  UNAUTHENTICATED: again('You are no longer signed in.', 'Sign in, then try again.'),
  FORBIDDEN: other('This listing belongs to somebody else.', 'Sign in as its seller to add photos.'),
  NOT_FOUND: other('The listing or photo is no longer there.', 'Go back to your listings.'),
  CONFLICT: again('Something changed at the same moment.', 'Try again.'),
  IDEMPOTENCY_CONFLICT: again('The photo changed while it was sent.', 'Add it once more.'),
  ALREADY_EXISTS: other('This photo is in the listing already.', 'Nothing needs to be done.'),
  ALREADY_DECIDED: other('A moderator has decided about this photo.', 'Load the page again to see it.'),
  CLAIMED: other('Another moderator has this photo before them.', 'Go on with the next one.'),
  CONTRADICTION: other(
    'It cannot be approved and be called the copy of another photo.',
    'It is back in the queue: decide again.',
  ),
  ILLEGAL_TRANSITION: other('The photo is at another step by now.', 'Load the page again to see it.'),
  OBJECT_ARCHIVED: other(
    'The photo is in the archive.',
    'Ask for it to be restored; that can take some hours.',
  ),
  OBJECT_DAMAGED: other('The stored photo is damaged.', 'Upload it again.'),
  LEGAL_HOLD: other(
    'The photo must be kept for legal reasons.',
    'Contact support if you think this is wrong.',
  ),
  USAGE_NOT_CURRENT: other(
    'It is not known yet which photos were looked at lately.',
    'Try again when the access logs have been read.',
  ),
  VERSION_CONFLICT: again(
    'The listing was changed in another window.',
    'Look at the present order, then try again.',
  ),
  FILE_TOO_LARGE: other(
    'The file is over 10 MB.',
    'Choose a smaller size when you export it, or take the photo with a lower resolution.',
  ),
  UNSUPPORTED_TYPE: other('This is not a kind of photo we can use.', 'Add a JPEG, PNG, WebP, HEIC or AVIF.'),
  RANGE_NOT_SATISFIABLE: again('A part of the file was out of place.'),
  TOO_MANY_PIXELS: other(
    'The photo has too many pixels.',
    'Export it with at most 50 megapixels and add it again.',
  ),
  MALWARE_FOUND: other(
    'The virus scan found something in this file.',
    'Do not share it. Check your device, then take a new photo.',
  ),
  CONTENT_REJECTED: other(
    'The photo breaks our content rules.',
    'Use a photo that shows only the thing you sell. If you think this is a mistake, ask for a second look.',
  ),
  BANNED_IMAGE: other('This photo has been taken down before.', 'Use another photo of the thing you sell.'),
  UPLOAD_MISMATCH: again('The photo changed on its way to us.', 'Try again.'),
  UPLOAD_INCOMPLETE: again('The photo did not arrive completely.', 'Try again; it goes on where it stopped.'),
  RATE_LIMITED: again('That were many photos in a short time.', 'Wait a minute, then try again.'),
  QUOTA_EXCEEDED: other('There is no room for more photos.', 'Delete some that you no longer need.'),
  BUSY: again('We are very busy just now.'),
  STORAGE_FULL: other('Our storage is full.', 'We have been told. Please try again later.'),
  STORAGE_UNAVAILABLE: again('Our storage does not answer.'),
  CDN_UNAVAILABLE: again('The photo network does not answer.'),
  SCANNER_UNAVAILABLE: again('The virus scan does not answer.'),
  MODERATOR_UNAVAILABLE: again('The content check does not answer.'),
  SEARCH_UNAVAILABLE: again('The search does not answer.'),
  KEYS_UNAVAILABLE: again('The keys for documents are out of reach.'),
  DATABASE_UNAVAILABLE: again('Our database does not answer.'),
  QUEUE_UNAVAILABLE: again('Our work queue does not answer.'),
  IMAGE_PROCESS_FAILED: again('Something broke while we worked on the photo.', 'Try again.'),
  PROCESSING_FAILED: again('We could not work on this photo.', 'Try again, or save it as JPEG first.'),
  DEADLINE_EXCEEDED: again('It took too long.', 'Try again.'),
  UPLOAD_EXPIRED: again('The upload was not finished in time.', 'Add the photo again.'),
  ABORTED: again('The upload was stopped.', 'Try again when you are ready.'),
  UNSUPPORTED: other('This service cannot do that.', 'Contact support.'),
  INVALID_CONFIGURATION: other('The service is not set up correctly.', 'We have been told.'),
  DATA_DIR_IN_USE: other('The service is not set up correctly.', 'We have been told.'),
  INTERNAL: again('Something went wrong on our side.', 'Try again. If it happens again, contact support.'),
  OFFLINE: again('There is no connection.', 'Check your network; sending goes on by itself when it is back.'),
  EMPTY_FILE: other('The file is empty.', 'Choose it again; if it comes from a cloud, download it first.'),
  HEIC_TOO_LARGE: other(
    'This HEIC photo is over 10 MB, and browsers cannot make HEIC smaller.',
    'Set your camera to "most compatible" (JPEG), or export it smaller.',
  ),
  CANNOT_SCALE: other(
    'The photo is too large, and this browser could not make it smaller.',
    'Export it with at most 4000 pixels on the long side and add it again.',
  ),
};
