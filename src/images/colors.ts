import { thumbHashToRGBA } from 'thumbhash';
import { type Color, dominantColors } from '#src/domain/colors.ts';

/** The dominant colors of a photo, from its placeholder (a thumbhash in base64): a picture of 32 pixels at most. */
export function colorsOfPlaceholder(placeholder: string): readonly Color[] {
  const { rgba } = thumbHashToRGBA(Buffer.from(placeholder, 'base64'));
  return dominantColors(rgba);
}
