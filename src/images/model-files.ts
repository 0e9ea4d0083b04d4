import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export const MODEL_FOLDER = new URL('../../models/', import.meta.url);

/** The models that look at photos, by the names under which their versions are kept. */
export const MODEL_FILES = {
  'nsfw-mobilenet-v2-mid': 'nsfw_mobilenet_v2_mid_packed.onnx',
  'efficientnet-lite0-int8': 'efflite0_int8.onnx',
} as const;

/** 12 hex digits over a model's bytes. */
export function modelVersion(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}

/** Versions of the models as they lie in the tree, as image processes tell them of what they have looked at. */
export async function readModelVersions(): Promise<Readonly<Record<string, string>>> {
  const versions = Object.entries(MODEL_FILES).map(async ([name, file]) => {
    const bytes = await readFile(new URL(file, MODEL_FOLDER));
    return [name, modelVersion(bytes)] as const;
  });
  return Object.fromEntries(await Promise.all(versions));
}
