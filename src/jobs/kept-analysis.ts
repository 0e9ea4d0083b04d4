import type { ImageAnalysis, KeptAnalysis } from '../ports/image-engine.ts';

/** What goes into the file's row, whoever looked at the photo. */
export function keptOf(seen: ImageAnalysis): KeptAnalysis {
  const { placeholder: _, fingerprint: __, ...kept } = seen;
  return kept;
}
