/** What follows from a reason that a moderator, or a buyer who reports, chooses. */
interface ReviewReason {
  /** A few words, for moderators and buyers who choose. */
  readonly title: string;
  /** What the seller reads: what is wrong, in plain words, and what to do next. */
  readonly message: string;
  /** Whether a take-down for it keeps the same picture from being uploaded again. */
  readonly isBanned: boolean;
  /** Whether the person who chooses it must say more. */
  readonly needsText: boolean;
  /** Whether several buyers who name it hide the photo until a moderator has looked. */
  readonly isDangerous: boolean;
}

/**
 * The closed list of reasons, in the order of the number keys. Never banned: theft and private data, since the picture is
 * the victim's, who may use it; and whatever is wrong with a listing rather than with the picture.
 */
const REASONS = {
  sexual_content: {
    title: 'Nudity or sexual content',
    message: 'The photo shows nudity or sexual content. Upload one that shows the thing by itself.',
    isBanned: true,
    needsText: false,
    isDangerous: true,
  },
  weapon: {
    title: 'Weapon',
    message: 'The photo shows a weapon. Weapons and their parts cannot be offered here.',
    isBanned: true,
    needsText: false,
    isDangerous: false,
  },
  violence: {
    title: 'Violence or gore',
    message: 'The photo shows violence or injuries. Upload one without them.',
    isBanned: true,
    needsText: false,
    isDangerous: true,
  },
  drugs: {
    title: 'Drugs',
    message: 'The photo shows drugs, or things for their use. They cannot be offered here.',
    isBanned: true,
    needsText: false,
    isDangerous: false,
  },
  hate: {
    title: 'Hate symbols or insults',
    message: 'The photo shows symbols or words of hate. Upload one without them.',
    isBanned: true,
    needsText: false,
    isDangerous: false,
  },
  contact_details: {
    title: 'Contact details or codes',
    message:
      'The photo shows a phone number, an address or a code. Cover it, or take another photo; buyers reach you by message.',
    isBanned: false,
    needsText: false,
    isDangerous: false,
  },
  not_the_item: {
    title: 'Not the thing that is sold',
    message: 'The photo does not show what the listing offers. Upload a photo of the thing itself.',
    isBanned: false,
    needsText: false,
    isDangerous: false,
  },
  stolen_photo: {
    title: 'Somebody else’s photo',
    message:
      'The photo seems to be somebody else’s. Upload one that you took; if it is yours, ask for a second look.',
    isBanned: false,
    needsText: false,
    isDangerous: false,
  },
  private_data: {
    title: 'Private data of a person',
    message:
      'The photo shows private data, such as a face, a document or a number plate. Cover it, or take another photo.',
    isBanned: false,
    needsText: false,
    isDangerous: true,
  },
  scam: {
    title: 'Scam or misleading',
    message: 'The photo misleads buyers. Upload a photo that shows the thing as it is.',
    isBanned: false,
    needsText: true,
    isDangerous: false,
  },
  bad_quality: {
    title: 'Cannot be made out',
    message: 'The photo is too dark, blurred or small to see the thing. Take another one in good light.',
    isBanned: false,
    needsText: false,
    isDangerous: false,
  },
  other: {
    title: 'Something else',
    message: 'The photo breaks a rule of this marketplace.',
    isBanned: false,
    needsText: true,
    isDangerous: false,
  },
} as const satisfies Record<string, ReviewReason>;

export type ReasonCode = keyof typeof REASONS;

export const REVIEW_REASONS: Readonly<Record<ReasonCode, ReviewReason>> = REASONS;

export const REASON_CODES = Object.keys(REASONS).filter(isReasonCode);

export function isReasonCode(text: string): text is ReasonCode {
  return Object.hasOwn(REASONS, text);
}

/** What the seller reads: the words of the list, and what the moderator adds. */
export function sellerMessage(code: ReasonCode | null, text: string): string {
  if (code === null) return text;
  const { message } = REVIEW_REASONS[code];
  return text === '' ? message : `${message} The moderator adds: ${text}`;
}
