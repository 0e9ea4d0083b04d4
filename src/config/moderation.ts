import { httpAddress } from './address.ts';
import { choices, optional, type Read } from './setting.ts';

export type DetectorName = 'local' | 'rekognition';

export interface ModerationConfig {
  /** Who looks at photos before people do; all of them are asked. */
  readonly detectors: readonly DetectorName[];
  /** Null: the policy that is shipped. */
  readonly policyFile: string | null;
  /** Null: that of the bucket. */
  readonly rekognitionRegion: string | null;
  readonly rekognitionEndpoint: string | null;
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
  rekognitionRegion: optional('REKOGNITION_REGION', {
    description: 'Region where Amazon Rekognition looks at photos; S3_REGION when not set.',
    expected: 'a region such as eu-central-1',
    accepts: (value) => /^[a-z]{2}(-[a-z]+)+-\d$/.test(value),
  }),
  rekognitionEndpoint: httpAddress('REKOGNITION_ENDPOINT', {
    description: 'Another endpoint than that of the region.',
  }),
};

export function readModeration(read: Read): ModerationConfig {
  return {
    detectors: read(MODERATION.detectors),
    policyFile: read(MODERATION.policyFile),
    rekognitionRegion: read(MODERATION.rekognitionRegion),
    rekognitionEndpoint: read(MODERATION.rekognitionEndpoint),
  };
}
