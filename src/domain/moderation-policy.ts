import { createHash } from 'node:crypto';
import { HIDE_AFTER_REPORTERS } from './report-policy.ts';
import { type ReasonCode, REVIEW_REASONS } from './review-reasons.ts';

export type ModerationVerdict = 'publish' | 'review' | 'reject';

/** A confidence from 0 to 1, or never. */
export type Threshold = number | 'never';

/** From which confidence on a label sends a photo to a person, and from which on it refuses it; below both it is public. */
export interface LabelRule {
  readonly review: Threshold;
  readonly reject: Threshold;
  /**
   * From which on a photo that is public already, where the label is found later, is out of the public until a person
   * decides; below it stays public meanwhile. Never where it is not said.
   */
  readonly hide?: Threshold | undefined;
}

export type LabelRules = Readonly<Record<string, LabelRule>>;

/** What becomes of a photo by what was seen in it. */
export interface ModerationPolicy {
  /** For people; the version tells policies apart. */
  readonly name: string;
  readonly labels: LabelRules;
  /** Of labels that it does not name. */
  readonly otherLabels: LabelRule;
  /** Rules that take the place of those above, by category of the listing (lower case) and label. */
  readonly categories: Readonly<Record<string, LabelRules>>;
  /**
   * How many different buyers must name a reason of the list before the photo is hidden until a moderator has looked, by
   * reason. Those that are not named are as the list has them: three for what may hurt people, never for the rest.
   */
  readonly reports?: Readonly<Partial<Record<ReasonCode, number | 'never'>>> | undefined;
}

/** What a decision needs to know of a label. */
export interface Seen {
  readonly label: string;
  /** 0–1 */
  readonly confidence: number;
}

/** Why a label counted: the threshold that it reached. */
export interface Grounds {
  readonly outcome: 'review' | 'reject';
  readonly threshold: number;
}

/** The rule for a label in a listing of that category. */
export function ruleOf(policy: ModerationPolicy, label: string, category: string | null): LabelRule {
  const special = category === null ? undefined : own(policy.categories, category.trim().toLowerCase());
  return own(special, label) ?? own(policy.labels, label) ?? policy.otherLabels;
}

/** What the policy makes of what was seen, with the labels that led to it, highest first. */
export function decide<Label extends Seen>(
  policy: ModerationPolicy,
  labels: readonly Label[],
  category: string | null,
): { readonly verdict: ModerationVerdict; readonly labels: readonly (Label & Grounds)[] } {
  const grounds = labels
    .flatMap((label) => {
      const reached = groundsOf(ruleOf(policy, label.label, category), label.confidence);
      return reached === null ? [] : [{ ...label, ...reached }];
    })
    .toSorted((a, b) => b.confidence - a.confidence);
  const isCertain = grounds.some(({ outcome }) => outcome === 'reject');
  return { verdict: isCertain ? 'reject' : grounds.length > 0 ? 'review' : 'publish', labels: grounds };
}

/** Whether a photo that is public is to be hidden until a person has looked at what was found in it. */
export function isHidden(
  policy: ModerationPolicy,
  labels: readonly Seen[],
  category: string | null,
): boolean {
  return labels.some(({ label, confidence }) => {
    const { hide = 'never' } = ruleOf(policy, label, category);
    return hide !== 'never' && confidence >= hide;
  });
}

/** How many buyers who name this reason hide a photo until a moderator has looked. */
export function reportersToHide({ reports }: ModerationPolicy, code: ReasonCode): number | 'never' {
  return reports?.[code] ?? (REVIEW_REASONS[code].isDangerous ? HIDE_AFTER_REPORTERS : 'never');
}

/** 12 hex digits over its rules: the same rules have the same version, in whatever order and under whatever name. */
export function policyVersion({ labels, otherLabels, categories, reports }: ModerationPolicy): string {
  const rules = JSON.stringify(sorted({ labels, otherLabels, categories, ...(reports && { reports }) }));
  return createHash('sha256').update(rules).digest('hex').slice(0, 12);
}

function groundsOf(rule: LabelRule, confidence: number): Grounds | null {
  if (rule.reject !== 'never' && confidence >= rule.reject)
    return { outcome: 'reject', threshold: rule.reject };
  if (rule.review !== 'never' && confidence >= rule.review)
    return { outcome: 'review', threshold: rule.review };
  return null;
}

/** Names come from outside: `constructor` is no label. */
function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
