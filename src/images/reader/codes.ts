import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { prepareZXingModule, readBarcodes, ZXING_WASM_VERSION } from 'zxing-wasm/reader';
import type { Raster } from '../worker/sharp.ts';
import type { Read } from './protocol.ts';
import { regionOf } from './region.ts';

const MAX_CODES = 50;
/** Longer than the largest QR code holds of letters (4,296) or bytes (2,953). */
const MAX_CONTENT = 8000;

export const CODES_VERSION = ZXING_WASM_VERSION;

let loading: Promise<unknown> | null = null;

/** QR and other matrix codes, and barcodes, wherever they are and however they are turned. */
export async function readCodes({ data, width, height }: Raster): Promise<Read['codes']> {
  loading ??= load();
  await loading;
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4)
    rgba.set(data.subarray(from, from + 3), to);
  const found = await readBarcodes(
    { data: rgba, width, height, colorSpace: 'srgb' },
    { tryHarder: true, maxNumberOfSymbols: MAX_CODES },
  );
  return found
    .filter(({ isValid }) => isValid)
    .map(({ format, text, position }) => {
      const corners = [position.topLeft, position.topRight, position.bottomLeft, position.bottomRight];
      return { format, text: text.slice(0, MAX_CONTENT), region: regionOf(corners, width, height) };
    });
}

/** From the package's own file: it would be fetched from a server otherwise. */
async function load(): Promise<void> {
  const require = createRequire(import.meta.url);
  const wasm = await readFile(require.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length);
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
}
