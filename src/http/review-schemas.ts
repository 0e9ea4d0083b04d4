import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '#src/domain/errors.ts';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { CASE_SOURCES, MATCH_OUTCOMES } from '#src/domain/review-case.ts';
import { REASON_CODES } from '#src/domain/review-reasons.ts';
import { FileIdParam, line, ReviewEntry } from './schemas.ts';

const MANY = 100;

const ids = z.array(FileIdParam).min(1).max(MANY);

export const ClaimBody = z.union([
  z.strictObject({
    count: z.int().min(1).max(50),
    source: z.enum(CASE_SOURCES).exactOptional(),
    except: z.array(FileIdParam).max(MANY).exactOptional(),
  }),
  z.strictObject({ ids }),
]);

export const ReportBody = z.object({
  reasonCode: z.enum(REASON_CODES),
  message: line(1_000).exactOptional().meta({ description: 'For moderators. Some reasons need it.' }),
});

const codes = Object.keys(ERROR_CODES).filter((code): code is ErrorCode => Object.hasOwn(ERROR_CODES, code));

export const Claim = z
  .object({
    photos: z.array(ReviewEntry).readonly(),
    claimed: z.array(z.string()).readonly(),
    missed: z.array(z.object({ id: z.string(), code: z.enum(codes) })).readonly(),
    waiting: z.int().meta({ description: 'Photos in the queue that are for the caller.' }),
    seconds: z.int().meta({ description: 'How long the claims last unless they are renewed.' }),
  })
  .meta({ id: 'ReviewClaim' });

const decision = {
  decision: z.enum(['approve', 'reject', 'takedown']),
  reason: line(1_000)
    .exactOptional()
    .meta({ description: 'In words, for the seller; with a `reasonCode` it is added to its words.' }),
  reasonCode: z.enum(REASON_CODES).exactOptional(),
};

const MatchSaid = z.object({ fileId: FileIdParam, outcome: z.enum(MATCH_OUTCOMES) });

export const Decision = z.object({
  ...decision,
  match: MatchSaid.exactOptional().meta({
    description: 'What came of comparing it with the photo that a finding names.',
  }),
  matches: z
    .array(MatchSaid)
    .min(1)
    .max(50)
    .readonly()
    .exactOptional()
    .meta({ description: 'The same of several photos that findings name.' }),
});

export const DecisionsBody = z.object({ ids, ...decision });

export const Outcome = z
  .object({
    id: z.string(),
    ok: z.boolean(),
    state: z.enum(FILE_STATES).optional(),
    code: z.enum(codes).optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'DecisionOutcome' });
