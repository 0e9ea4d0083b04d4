import { integer, type Read } from './setting.ts';

/** Times are in seconds. */
export interface ReviewConfig {
  /** What waits longer for a moderator is an alarm. */
  readonly alarmSeconds: number;
  /** After so long the second look at a take-down is also for the moderator who decided. */
  readonly secondLookSeconds: number;
}

const HOUR = 3600;

export const REVIEW = {
  reviewAlarmHours: integer('REVIEW_ALARM_HOURS', {
    description: 'Hours that a photo may wait for a moderator; longer is an alarm.',
    default: 24,
    min: 1,
    max: 8760,
  }),
  secondLookHours: integer('REVIEW_SECOND_LOOK_HOURS', {
    description:
      'Hours after which the second look at a take-down is also for the moderator who decided; where no other moderator is at work, it is after ten minutes.',
    default: 72,
    min: 1,
    max: 8760,
  }),
};

export function readReview(read: Read): ReviewConfig {
  return {
    alarmSeconds: read(REVIEW.reviewAlarmHours) * HOUR,
    secondLookSeconds: read(REVIEW.secondLookHours) * HOUR,
  };
}
