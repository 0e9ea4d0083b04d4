import { createHash } from 'node:crypto';
import { isOffered, type ItemStatus, type SearchScope } from './access.ts';
import type { Color } from './colors.ts';
import { type FileState, isPublic } from './file-state.ts';
import type { OutputFormat } from './renditions.ts';
import { searchWords } from './search-words.ts';

export const ORIENTATIONS = ['landscape', 'portrait', 'square'] as const;
export type Orientation = (typeof ORIENTATIONS)[number];

/** States of photos that somebody may look for. What is still on its way, or never became a photo, is in no index. */
export const FINDABLE_STATES = [
  'published',
  'ready',
  'in_review',
  'rejected',
  'taken_down',
] as const satisfies readonly FileState[];

/** One photo as the search index has it. Texts are `searchWords`. */
export interface PhotoDocument {
  readonly id: string;
  readonly itemId: string;
  readonly ownerId: string;
  /** Anybody may find it: the photo is public, and its listing is offered. */
  readonly isPublic: boolean;
  readonly state: FileState;
  /** Why it is not public. */
  readonly reason: string | null;
  readonly listing: ItemStatus;
  readonly category: string | null;
  readonly title: string;
  readonly alt: string;
  /** What the classifier sees in it, the surest first. */
  readonly labels: readonly string[];
  readonly format: OutputFormat | null;
  /** Of the original, upright. Pixels. */
  readonly width: number | null;
  readonly height: number | null;
  readonly orientation: Orientation | null;
  readonly colors: readonly Color[];
  /** How it would do as a cover, 0–100; null when it was not measured. */
  readonly quality: number | null;
  readonly publishedAt: string | null;
}

/** What rows say of a photo, for its document. */
export interface PhotoFacts {
  readonly id: string;
  readonly itemId: string;
  readonly ownerId: string;
  readonly state: FileState;
  readonly reason: string | null;
  readonly listing: ItemStatus;
  /** The listing is no more. */
  readonly isListingDeleted: boolean;
  readonly category: string | null;
  readonly title: string;
  readonly alt: string | null;
  readonly labels: readonly { readonly label: string; readonly confidence: number }[];
  readonly format: OutputFormat | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly coverScore: number | null;
  readonly publishedAt: Date | null;
}

/** Below it a label of the classifier is a guess. */
const LEAST_CONFIDENCE = 0.2;
const MOST_LABELS = 5;
/** Sides that differ by less are the same to the eye. */
const SQUARE_WITHIN = 0.05;

/** The document of a photo; null when it belongs into no index. The same facts give the same document. */
export function photoDocument(facts: PhotoFacts, colors: readonly Color[]): PhotoDocument | null {
  if (!isFindable(facts.state)) return null;
  const { width, height } = facts;
  return {
    id: facts.id,
    itemId: facts.itemId,
    ownerId: facts.ownerId,
    isPublic: isPublic(facts.state) && !facts.isListingDeleted && isOffered(facts.listing),
    state: facts.state,
    reason: facts.reason,
    listing: facts.listing,
    category: facts.category,
    title: searchWords(facts.title),
    alt: searchWords(facts.alt ?? ''),
    labels: facts.labels
      .filter(({ confidence }) => confidence >= LEAST_CONFIDENCE)
      .slice(0, MOST_LABELS)
      .map(({ label }) => searchWords(label)),
    format: facts.format,
    width,
    height,
    orientation: width === null || height === null ? null : orientationOf(width, height),
    colors,
    quality: facts.coverScore === null ? null : Math.round(facts.coverScore * 100),
    publishedAt: facts.publishedAt?.toISOString() ?? null,
  };
}

/** Whether a search may show it: every engine filters by this, and every hit is asked again by its rows. */
export function mayFind(scope: SearchScope, photo: Pick<PhotoDocument, 'isPublic' | 'ownerId'>): boolean {
  return scope.all || photo.isPublic || photo.ownerId === scope.ownerId;
}

/** SHA-256 in hex of what a document says, whichever engine kept it. */
export function documentHash(document: PhotoDocument): string {
  const entries = Object.entries(document).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}

function isFindable(state: FileState): boolean {
  return FINDABLE_STATES.some((findable) => findable === state);
}

function orientationOf(width: number, height: number): Orientation {
  if (Math.abs(width - height) <= SQUARE_WITHIN * Math.max(width, height)) return 'square';
  return width > height ? 'landscape' : 'portrait';
}
