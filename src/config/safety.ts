import { serverAddress } from './address.ts';
import { MODERATION, type ModerationConfig, readModeration } from './moderation.ts';
import { readReview, REVIEW, type ReviewConfig } from './review.ts';
import { flag, integer, optional, type Read } from './setting.ts';
import { readTextReading, TEXT_READING, type TextReadingConfig } from './text-reading.ts';

export interface SafetyConfig {
  readonly scanner: 'basic' | 'clamd';
  readonly clamdUrl: string | null;
  /** Scans that clamd does at one time for one process. */
  readonly clamdConnections: number;
  readonly signatures: { readonly maxAgeDays: number; readonly refuseOutdated: boolean };
  readonly canaryMs: number;
  /** A list for the basic scanner of files to refuse. */
  readonly knownHashesFile: string | null;
  /** How long the scanner or the moderator may take to answer; then the photo is tried again later. */
  readonly checkTimeoutMs: number;
  /** Whether photos are compared with those of other listings. */
  readonly findCopies: boolean;
  readonly moderation: ModerationConfig;
  readonly text: TextReadingConfig;
  readonly review: ReviewConfig;
}

export const SAFETY = {
  clamdUrl: serverAddress('CLAMD_URL', ['tcp', 'unix'], {
    description: 'The virus scanner clamd; a basic scan of structure and known signatures when not set.',
    expected: 'tcp://host:port or unix:///path of a clamd',
  }),
  clamdConnections: integer('CLAMD_CONNECTIONS', {
    description:
      'Connections to clamd at one time in each process. Together the workers are served best below its MaxThreads.',
    default: 4,
    min: 1,
    max: 64,
  }),
  signatureMaxAgeDays: integer('SCANNER_SIGNATURE_MAX_AGE_DAYS', {
    description: 'Days after which the signatures of clamd are out of date, which is an alarm.',
    default: 7,
    min: 1,
    max: 365,
  }),
  refuseOutdated: flag('SCANNER_REFUSE_OUTDATED', {
    description:
      'Whether a file is not clean when signatures that are out of date found nothing; photos then wait for a moderator.',
    default: false,
  }),
  canarySeconds: integer('SCANNER_CANARY_SECONDS', {
    description: 'Seconds between two trials whether the virus scanner still finds the EICAR test file.',
    default: 60,
    min: 1,
    max: 3600,
  }),
  knownHashesFile: optional('SCANNER_KNOWN_HASHES_FILE', {
    description: 'For the basic scanner: files to refuse, one a line, SHA-256 and the name to report.',
    expected: 'the path of a text file',
  }),
  checkTimeoutMs: integer('SAFETY_CHECK_TIMEOUT_MS', {
    description: 'Milliseconds that the virus scanner or the moderator may take to answer.',
    default: 30_000,
    min: 100,
    max: 600_000,
  }),
  findCopies: flag('FIND_COPIES', {
    description:
      'Whether a photo that shows the same as a photo of another seller waits for a moderator, and one that shows the same as another of its listing is hinted at. Banned pictures are refused in any case.',
    default: true,
  }),
  ...MODERATION,
  ...TEXT_READING,
  ...REVIEW,
};

export function readSafety(read: Read): SafetyConfig {
  const clamdUrl = read(SAFETY.clamdUrl);
  return {
    scanner: clamdUrl === null ? 'basic' : 'clamd',
    clamdUrl,
    clamdConnections: read(SAFETY.clamdConnections),
    signatures: {
      maxAgeDays: read(SAFETY.signatureMaxAgeDays),
      refuseOutdated: read(SAFETY.refuseOutdated),
    },
    canaryMs: read(SAFETY.canarySeconds) * 1000,
    knownHashesFile: read(SAFETY.knownHashesFile),
    checkTimeoutMs: read(SAFETY.checkTimeoutMs),
    findCopies: read(SAFETY.findCopies),
    moderation: readModeration(read),
    text: readTextReading(read),
    review: readReview(read),
  };
}
