import type { ReasonCode } from '../../../src/domain/review-reasons.ts';

/** Whether a photo is better not seen by surprise when a buyer reports it, or a moderator refuses it, for this. */
const REASONS = {
  sexual_content: true,
  weapon: true,
  violence: true,
  drugs: true,
  hate: true,
  contact_details: false,
  not_the_item: false,
  stolen_photo: false,
  private_data: false,
  scam: false,
  bad_quality: false,
  other: false,
} as const satisfies Record<ReasonCode, boolean>;

/** The same for what machines see. */
const SEEN: Readonly<Record<string, boolean>> = {
  porn: true,
  hentai: true,
  explicit: true,
  sexy: true,
  gun: true,

  explicit_nudity: true,
  sexual_activity: true,
  sex_toys: true,
  partial_nudity: true,
  kissing: false,
  swimwear: false,
  weapons: true,
  violence: true,
  gore: true,
  self_harm: true,
  disturbing: true,
  drugs: true,
  tobacco: false,
  alcohol: false,
  rude_gestures: false,
  gambling: false,
  hate_symbols: true,
  // Nobody has looked at what it shows.
  too_small_to_see: true,

  phone: false,
  email: false,
  url: false,
  qr: false,
  barcode: false,

  // It was taken down for what it shows.
  banned_picture: true,
  same_photo_elsewhere: false,
};

const LABELS: ReadonlyMap<string, boolean> = new Map(Object.entries({ ...REASONS, ...SEEN }));

/** Whether what has this label is better not seen by surprise: also what nobody has thought about, of a later model say. */
export function isDisturbingLabel(label: string): boolean {
  return LABELS.get(label) ?? true;
}
