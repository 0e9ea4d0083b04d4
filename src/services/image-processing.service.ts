import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { objectKey, parsePublicKey, type PublicKeyParts, publicKey } from '../domain/keys.ts';
import {
  DEFAULT_ENCODER,
  type EncoderSettings,
  MAX_EDGE,
  mediaTypeOf,
  type PlannedVariant,
  planVariants,
  recipeVersion,
} from '../domain/renditions.ts';
import type { DecodedImage, EncodedVariant, ImageEngine } from '../ports/image-engine.ts';
import { describeImage } from './images/metadata.ts';
import type { ImageCallOptions, ImageFile, ImageProcessingService, MadeObject } from './images/types.ts';
import type { StorageService } from './storage.service.ts';

export type * from './images/types.ts';

export interface ImageProcessingOptions {
  readonly images: ImageEngine;
  readonly storage: Pick<StorageService, 'uploadFile' | 'downloadFile'>;
  /** What the engine was made with; decides which formats there are. */
  readonly encoder?: EncoderSettings;
}

/** Below this share of bytes saved, a second generation of losses is not worth it. */
const WORTH_SAVING = 0.05;

export function createImageProcessingService(options: ImageProcessingOptions): ImageProcessingService {
  const { images, storage, encoder = DEFAULT_ENCODER } = options;

  async function opened<T>(
    file: ImageFile,
    { signal }: ImageCallOptions,
    work: (image: DecodedImage) => Promise<T>,
  ): Promise<T> {
    const image = await images.open(file, { kind: 'item_photo', ...(signal ? { signal } : {}) });
    try {
      return await work(image);
    } finally {
      await image.close();
    }
  }
  const read = async (key: string, { signal }: ImageCallOptions): Promise<Uint8Array> =>
    buffer((await storage.downloadFile(objectKey(key), signal ? { signal } : {})).body);

  /** Stores unless the key is taken, and tells which it was. */
  async function store(
    parts: PublicKeyParts,
    made: EncodedVariant,
    { signal }: ImageCallOptions,
  ): Promise<MadeObject> {
    const { name, format, width, height, data } = made;
    const key = publicKey({ ...parts, variant: name, format });
    const object = { key, name, format, width, height, bytes: data.byteLength };
    try {
      await storage.uploadFile(data, {
        key,
        contentType: mediaTypeOf(format),
        access: 'public',
        expectedSha256: made.sha256,
        ifNoneMatch: true,
        ...(signal ? { signal } : {}),
      });
      return { ...object, isNew: true };
    } catch (error) {
      if (isStorageError(error, 'ALREADY_EXISTS')) return { ...object, isNew: false };
      throw error;
    }
  }

  return {
    processImage: (file, { kind = 'item_photo', ...rest } = {}) =>
      opened(file, rest, async (image) => {
        const plan = planVariants(kind, image.facts.hasAlpha, encoder);
        const variants = await inTurn(plan, (variant) => encodeClean(image, variant, rest.signal));
        return { facts: image.facts, analysis: await image.analyse(rest.signal), variants };
      }),

    async generateThumbnails(imageKey, rest = {}) {
      const parts = parsePublicKey(imageKey);
      if (parts?.variant !== 'original')
        throw new StorageError('INVALID_REQUEST', 'Smaller sizes are made of an original: name its key.');
      return opened(await read(imageKey, rest), rest, async (image) => {
        const plan = planVariants(parts.kind, image.facts.hasAlpha, encoder);
        return inTurn(
          plan.filter((variant) => variant.name !== 'original'),
          async (variant) => store(parts, await encodeClean(image, variant, rest.signal), rest),
        );
      });
    },

    async optimizeImage(imageKey, rest = {}) {
      const parts = parsePublicKey(imageKey);
      if (parts === null)
        throw new StorageError(
          'INVALID_REQUEST',
          'Only public images are made smaller: name the key of one.',
        );
      const before = await read(imageKey, rest);
      const bytesBefore = before.byteLength;
      return opened(before, rest, async (image) => {
        const [original] = planVariants(parts.kind, image.facts.hasAlpha, encoder);
        const { variant: name } = parts;
        const format = name === 'original' ? (original?.format ?? parts.format) : parts.format;
        // It has its size already: the edge of an original scales nothing down here.
        const made = await encodeClean(
          image,
          { name: 'original', format, maxEdge: MAX_EDGE.original },
          rest.signal,
        );
        const bytesAfter = made.data.byteLength;
        if (bytesAfter > bytesBefore * (1 - WORTH_SAVING))
          return { key: objectKey(imageKey), bytesBefore, bytesAfter: bytesBefore, isNew: false };
        const hash12 = hashOf(before, recipeVersion(encoder, images.versions));
        const { key, isNew } = await store({ ...parts, hash12 }, { ...made, name }, rest);
        return { key, bytesBefore, bytesAfter, isNew };
      });
    },

    async validateImage(file, rest = {}) {
      const header = await images.inspect(file);
      return opened(file, rest, async ({ facts }) => ({ header, warnings: facts.warnings }));
    },

    async extractMetadata(file, { includeLocation = false } = {}) {
      return describeImage(file, await images.inspect(file), includeLocation);
    },

    removeExif: (file, rest = {}) =>
      opened(file, rest, async (image) => {
        const [original] = planVariants('item_photo', image.facts.hasAlpha, encoder);
        if (original === undefined) throw new StorageError('INTERNAL');
        const { data, format, width, height } = await encodeClean(image, original, rest.signal);
        return { data, format, width, height };
      }),
  };
}

/** One after the other: they come from one process. */
async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}

async function encodeClean(
  image: DecodedImage,
  plan: PlannedVariant,
  signal: AbortSignal | undefined,
): Promise<EncodedVariant> {
  const variant = await image.encode(plan, signal);
  if (!variant.report.clean)
    throw new StorageError('PROCESSING_FAILED', 'An image that was made is not clean.', {
      details: { findings: variant.report.findings, name: plan.name, format: plan.format },
    });
  return variant;
}

function hashOf(bytes: Uint8Array, recipe: string): string {
  return createHash('sha256')
    .update(createHash('sha256').update(bytes).digest('hex'))
    .update(recipe)
    .digest('hex')
    .slice(0, 12);
}
