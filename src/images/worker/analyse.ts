import { rgbaToThumbHash } from 'thumbhash';
import type { Analysed } from '../protocol.ts';
import { bilinearSquare } from './bilinear.ts';
import { fingerprintOf } from './fingerprint.ts';
import { loadModels, MODEL_SIDE } from './models.ts';
import type { Picture } from './picture.ts';
import { fromRaster, type Raster, toRaster } from './sharp.ts';

/** Thumbhash looks at no more. */
const PLACEHOLDER_EDGE = 100;
const MAX_LABELS = 10;
/** ImageNet classes of assault rifle, revolver and rifle (models/README.md). */
const GUN_CLASSES = [413, 763, 764];

/** Looks at the pixels with both models and takes the fingerprint, all from the 800 px rendition. */
export async function analyse(picture: Picture): Promise<Analysed> {
  const [models, seen] = await Promise.all([loadModels(), onWhite(await picture.level('medium'))]);
  const nsfw = await models.nsfw(bilinearSquare(seen, MODEL_SIDE));
  const { probabilities, embedding } = await models.classify((await stretched(seen, MODEL_SIDE)).data);
  return {
    placeholder: await placeholderOf(await picture.level('thumbnail')),
    nsfw,
    labels: labelsOf(probabilities, models.labels),
    gun: Math.min(
      1,
      GUN_CLASSES.reduce((sum, index) => sum + (probabilities[index] ?? 0), 0),
    ),
    embedding: Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString('base64'),
    fingerprint: await fingerprintOf(seen),
    models: models.versions,
  };
}

/** The fingerprint alone, as `analyse` takes it: a tenth of its work. */
export async function fingerprint(picture: Picture): Promise<Analysed['fingerprint']> {
  return fingerprintOf(await onWhite(await picture.level('medium')));
}

async function onWhite(raster: Raster): Promise<Raster> {
  return raster.channels === 3 ? raster : toRaster(fromRaster(raster).flatten({ background: '#ffffff' }));
}

/** Cubic is what EfficientNet's own preparation uses. */
function stretched(raster: Raster, side: number): Promise<Raster> {
  return toRaster(fromRaster(raster).resize(side, side, { fit: 'fill', kernel: 'cubic' }));
}

function labelsOf(probabilities: Float32Array, names: readonly string[]): Analysed['labels'] {
  return Array.from(probabilities, (confidence, index) => ({
    label: names[index] ?? String(index),
    index,
    confidence,
  }))
    .toSorted((a, b) => b.confidence - a.confidence)
    .slice(0, MAX_LABELS);
}

async function placeholderOf(raster: Raster): Promise<string> {
  const small = await toRaster(
    fromRaster(raster)
      .ensureAlpha()
      .resize(PLACEHOLDER_EDGE, PLACEHOLDER_EDGE, { fit: 'inside', withoutEnlargement: true }),
  );
  return Buffer.from(rgbaToThumbHash(small.width, small.height, small.data)).toString('base64');
}
