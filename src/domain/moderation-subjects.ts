/** What a marketplace may want to know of a photo, in words that people read. */
export const SUBJECTS = [
  'pornography',
  'nudity',
  'suggestive pictures',
  'firearms',
  'knives and other weapons',
  'violence',
  'blood and gore',
  'self-harm',
  'drugs',
  'tobacco',
  'alcohol',
  'gambling',
  'hate symbols',
  'rude gestures',
  'who is shown and how old',
  'insults and threats in words',
] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What none of those who look at photos can see: left to people and to reports of buyers. */
export function blindSpotsOf(seen: readonly (readonly Subject[])[]): readonly Subject[] {
  return SUBJECTS.filter((subject) => !seen.some((subjects) => subjects.includes(subject)));
}
