import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createLocalDetector } from '../adapters/moderator/local.ts';
import type { Config } from '../config/index.ts';
import type { DetectorName } from '../config/moderation.ts';
import { countCharge, keepPolicy } from '../db/moderation.ts';
import type { Database } from '../db/schema.ts';
import { StorageError } from '../domain/errors.ts';
import type { ModerationPolicy } from '../domain/moderation-policy.ts';
import { readModelVersions } from '../images/model-files.ts';
import type { Detector, Moderator } from '../ports/moderator.ts';
import type { Log } from '../ports/log.ts';
import { createModerator } from '../services/moderation/moderator.ts';
import { ModerationPolicySchema, policyProblems } from '../services/moderation/policy-schema.ts';

const SHIPPED_POLICY = fileURLToPath(new URL('../../policies/moderation.json', import.meta.url));

/** Who looks at photos, and what is made of what they see. */
export interface Moderation {
  readonly moderator: Moderator;
  readonly detectors: readonly Detector[];
  readonly policy: ModerationPolicy;
  /** Counts a photo that a detector charged for. */
  readonly onCharge: (detector: string) => Promise<void>;
}

/** Errors: INVALID_CONFIGURATION, when the policy cannot be read, naming file, place and value. */
export async function createModeration(config: Config, db: Database, log: Log): Promise<Moderation> {
  const { detectors: names, policyFile } = config.safety.moderation;
  const policy = await readPolicy(policyFile ?? SHIPPED_POLICY);
  await keepPolicy(db, policy);
  const detectors = await Promise.all(names.map((name) => createDetector(name, config)));
  const onCharge = async (detector: string) => {
    await countCharge(db, detector).catch((error: unknown) =>
      log.warn({ err: error, detector }, 'what a moderator charges could not be counted'),
    );
  };
  return { moderator: createModerator({ detectors, policy, onCharge }), detectors, policy, onCharge };
}

async function createDetector(name: DetectorName, { safety, s3 }: Config): Promise<Detector> {
  if (name === 'local') return createLocalDetector({ current: await readModelVersions() });
  const { rekognitionRegion, rekognitionEndpoint } = safety.moderation;
  // Only who uses the SDK pays for loading it.
  const { createRekognitionDetector } = await import('../adapters/moderator/rekognition.ts');
  return createRekognitionDetector({
    region: rekognitionRegion ?? s3.region,
    ...(rekognitionEndpoint !== null && { endpoint: rekognitionEndpoint }),
  });
}

async function readPolicy(path: string): Promise<ModerationPolicy> {
  const value = await readJson(path);
  const parsed = ModerationPolicySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unusable(path, policyProblems(parsed.error, value));
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw unusable(path, [error instanceof Error ? error.message : String(error)]);
  }
}

function unusable(path: string, problems: readonly string[]): StorageError {
  return new StorageError(
    'INVALID_CONFIGURATION',
    `The policy of MODERATION_POLICY_FILE, ${path}, cannot be used.\n  ${problems.join('\n  ')}`,
    { details: { path, problems } },
  );
}
