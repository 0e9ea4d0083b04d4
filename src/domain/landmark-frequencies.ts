/** Frequencies, across and down, whose signs are the bits of a landmark: the lower ones of 6 × 6, without the constant one. */
export const LANDMARK_FREQUENCIES: readonly { readonly across: number; readonly down: number }[] = Array.from(
  { length: 36 },
  (_, index) => ({ across: index % 6, down: Math.floor(index / 6) }),
).filter(({ across, down }) => across + down > 0 && across + down <= 7);
