import { fitInside, MAX_EDGE, type VariantName } from '../../domain/renditions.ts';
import { fromRaster, type Raster, toRaster } from './sharp.ts';

/** The decoded pixels with the sizes made of them: 1,200 from the original, 800 from 1,200, 300 from 800, each once. */
export interface Picture {
  readonly full: Raster;
  /** Pixels of a rendition, at `fitInside` of the original's size. */
  level(name: VariantName): Promise<Raster>;
}

const LARGER: Readonly<Record<Exclude<VariantName, 'original'>, VariantName>> = {
  large: 'original',
  medium: 'large',
  thumbnail: 'medium',
};

export function pictureOf(full: Raster): Picture {
  const levels = new Map<VariantName, Promise<Raster>>([['original', Promise.resolve(full)]]);
  const level = (name: VariantName): Promise<Raster> => {
    const made = levels.get(name);
    if (made !== undefined) return made;
    const making = make(name);
    levels.set(name, making);
    return making;
  };
  const make = async (name: VariantName): Promise<Raster> => {
    if (name === 'original') return full;
    const { width, height } = fitInside(full.width, full.height, MAX_EDGE[name]);
    const larger = await level(LARGER[name]);
    if (larger.width === width && larger.height === height) return larger;
    return toRaster(fromRaster(larger).resize(width, height, { fit: 'fill' }));
  };
  return { full, level };
}
