import type { Finding } from './finding.ts';

type Seen = Pick<Finding, 'source' | 'label' | 'details'>;

/**
 * Which of these findings a person has not approved. An approval covers what was known of the photo then: of what models
 * see, their labels, however sure another model or policy is of the same later; of all else the very thing that was found,
 * since a second telephone number is not the first.
 *
 * @param approved what was known when the photo was last approved; empty when it never was
 */
export function beyondApproval<F extends Seen>(findings: readonly F[], approved: readonly Seen[]): F[] {
  const covered = new Set(approved.map(identityOf));
  return findings.filter((finding) => !covered.has(identityOf(finding)));
}

function identityOf({ source, label, details }: Seen): string {
  if (source === 'moderation') return JSON.stringify([source, label]);
  return JSON.stringify([source, label, Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
