import type { ImageAnalysis, KeptAnalysis } from '../ports/image-engine.ts';

/** What goes into the file's row, whoever looked at the photo. */
export function keptOf({ nsfw, labels, gun, models }: ImageAnalysis): KeptAnalysis {
  return { nsfw, labels, gun, models };
}
