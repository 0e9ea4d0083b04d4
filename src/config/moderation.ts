import { choices, optional, type Read } from './setting.ts';

export type DetectorName = 'local' | 'rekognition';

export interface ModerationConfig {
  /** Who looks at photos before people do; all of them are asked. */
  readonly detectors: readonly DetectorName[];
  /** Null: the policy that is shipped. */
  readonly policyFile: string | null;
}

export const MODERATION = {
  detectors: choices('MODERATION_DRIVER', ['local', 'rekognition'], {
    description: 'Who looks at photos before people do; of several, each has to answer.',
    default: ['local'],
  }),
  policyFile: optional('MODERATION_POLICY_FILE', {
    description: 'What becomes of a photo by what was seen in it; policies/moderation.json when not set.',
    expected: 'the path of a JSON file',
  }),
};

export function readModeration(read: Read): ModerationConfig {
  return { detectors: read(MODERATION.detectors), policyFile: read(MODERATION.policyFile) };
}
