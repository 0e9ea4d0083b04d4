import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { z } from 'zod';

/** Libraries that shape pixels or bytes; sharp's other parts (fonts, SVG, PDF) never run here. */
const CODECS = ['vips', 'mozjpeg', 'png', 'zlib-ng', 'webp', 'heif', 'aom', 'lcms'];

const Versions = z.record(z.string(), z.string());
const Package = z.object({ version: z.string() });

/**
 * Versions of everything that shapes an output, read from the packages' own files: loading the libraries
 * would cost the service 30 MB that only image processes need.
 */
export function readEngineVersions(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const codecs = Versions.parse(JSON.parse(readFileSync(codecVersionsFile(require), 'utf8')));
  return {
    ...Object.fromEntries(CODECS.flatMap((name) => (codecs[name] ? [[name, codecs[name]]] : []))),
    sharp: versionOf('sharp'),
    libheif: versionOf('libheif-js'),
  };
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new Error(`The package ${name} is missing`);
  return Package.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/** Sharp's packages by platform; on Windows the codecs are in sharp's own one. */
function codecVersionsFile(require: NodeJS.Require): string {
  const { platform, arch } = process;
  const names = [
    `sharp-libvips-${platform}-${arch}`,
    `sharp-libvips-linuxmusl-${arch}`,
    `sharp-${platform}-${arch}`,
  ];
  for (const name of names) {
    try {
      return require.resolve(`@img/${name}/versions`);
    } catch {
      // another platform's package
    }
  }
  throw new Error(`sharp has no prebuilt codecs for ${platform} ${arch}`);
}
