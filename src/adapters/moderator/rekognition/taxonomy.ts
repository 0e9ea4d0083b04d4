/**
 * Our label for each category of Rekognition's moderation taxonomy, version 7 ("Using the image and video moderation APIs",
 * Amazon Rekognition Developer Guide, https://docs.aws.amazon.com/rekognition/latest/dg/moderation-api.html, 2025). Categories of
 * the first two levels; one of the third counts as its parent, but for those that mean something else to a marketplace.
 */
const TAXONOMY_V7: Readonly<Record<string, string>> = {
  Explicit: 'explicit_nudity',
  'Explicit Nudity': 'explicit_nudity',
  'Explicit Sexual Activity': 'sexual_activity',
  'Sex Toys': 'sex_toys',
  'Non-Explicit Nudity of Intimate parts and Kissing': 'partial_nudity',
  'Non-Explicit Nudity': 'partial_nudity',
  'Obstructed Intimate Parts': 'partial_nudity',
  'Kissing on the Lips': 'kissing',
  'Swimwear or Underwear': 'swimwear',
  'Female Swimwear or Underwear': 'swimwear',
  'Male Swimwear or Underwear': 'swimwear',
  Violence: 'violence',
  Weapons: 'weapons',
  'Graphic Violence': 'violence',
  'Self-Harm': 'self_harm',
  'Blood & Gore': 'gore',
  'Visually Disturbing': 'disturbing',
  'Death and Emaciation': 'disturbing',
  Crashes: 'disturbing',
  'Drugs & Tobacco': 'drugs',
  Products: 'drugs',
  'Drugs & Tobacco Paraphernalia & Use': 'drugs',
  Smoking: 'tobacco',
  Alcohol: 'alcohol',
  'Alcohol Use': 'alcohol',
  'Alcoholic Beverages': 'alcohol',
  'Rude Gestures': 'rude_gestures',
  'Middle Finger': 'rude_gestures',
  Gambling: 'gambling',
  'Hate Symbols': 'hate_symbols',
  'Nazi Party': 'hate_symbols',
  'White Supremacy': 'hate_symbols',
  Extremist: 'hate_symbols',
};

export interface RekognitionLabel {
  readonly name: string;
  readonly parent: string;
  /** Percent. */
  readonly confidence: number;
}

/**
 * Our labels with the highest confidence (0–1) that leads to each. A category comes with all its parents: a parent counts
 * only where none of its children says more exactly what was seen (weapons are "Violence" to Rekognition). A category
 * that we do not know, of a later taxonomy say, keeps its name and is doubt by the policy's rule for other labels.
 */
export function ourLabels(labels: readonly RekognitionLabel[]): ReadonlyMap<string, number> {
  const parents = new Set(labels.filter(({ name }) => isKnown(name)).map(({ parent }) => parent));
  const found = new Map<string, number>();
  for (const { name, parent, confidence } of labels) {
    const isLeaf = !parents.has(name);
    const label = labelOf(name) ?? labelOf(parent) ?? slug(name);
    if (isLeaf) found.set(label, Math.max(found.get(label) ?? 0, confidence / 100));
  }
  return found;
}

function isKnown(name: string): boolean {
  return labelOf(name) !== undefined;
}

function labelOf(name: string): string | undefined {
  return Object.hasOwn(TAXONOMY_V7, name) ? TAXONOMY_V7[name] : undefined;
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
}
