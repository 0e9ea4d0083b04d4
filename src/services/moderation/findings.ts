import type { Finding } from '../../domain/finding.ts';
import type { ModerationResult } from '../../ports/moderator.ts';

/** What led to a verdict, as a person who reviews the photo is shown it. */
export function moderationFindings({
  labels,
  policy,
}: Pick<ModerationResult, 'labels' | 'policy'>): readonly Finding[] {
  return labels.map(({ label, confidence, region, model, version, outcome, threshold }) => ({
    source: 'moderation',
    label,
    confidence,
    region,
    model,
    version,
    details: { outcome, threshold, policy: policy.version },
  }));
}
