/** How alike (0–1, `likenessOf`) two pictures are from which on they are taken for the same: measured in docs/storage/safety.md. */
export const SAME_PICTURE = 0.75;
/** From which on nobody needs to look. */
export const CERTAINLY_SAME = 0.85;
/** Below `SAME_PICTURE`, but near enough to a banned picture for a person to look. */
export const NEARLY_SAME = 0.65;

/** Of a photo that shows what another one of its listing shows: a hint for its seller. */
export const DUPLICATE_IN_LISTING = 'DUPLICATE_IN_LISTING';
