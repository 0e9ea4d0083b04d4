import { type Container, readContainer } from '../domain/containers/container.ts';
import type { OutputFormat } from '../domain/renditions.ts';
import type { OutputReport } from '../ports/image-engine.ts';

/** What an encoder of ours writes. Anything else in an output is a finding, also what nobody thought of. */
const ALLOWED: Readonly<Record<OutputFormat, RegExp>> = {
  jpeg: /^(APP0:JFIF|DQT|DHT|SOF2|SOS)$/,
  png: /^(IHDR|PLTE|tRNS|pHYs|sBIT|IDAT|IEND)$/,
  webp: /^(VP8|VP8L|VP8X|ALPH)$/,
  avif: /^(ftyp|mdat|meta|meta\/(hdlr|pitm|iloc|iinf|iref|iprp|iprp\/ipma|iprp\/ipco|iprp\/ipco\/(ispe|pixi|av1C|auxC|colr:nclx))|item:av01)$/,
};
/** VP8X says with these bits that a file holds a profile, EXIF, XMP or an animation. */
const WEBP_EXTRAS = 0x20 | 0x08 | 0x04 | 0x02;

/**
 * Reads an output again as a container (pixels are not decoded) and names everything in it that is not on the
 * strict list of its format: metadata of any kind, a colour profile, a comment, bytes behind the end, another
 * format or size than was encoded. Runs in the service, not in the process that met the uploaded bytes.
 */
export function verifyOutput(
  bytes: Uint8Array,
  expected: { readonly format: OutputFormat; readonly width: number; readonly height: number },
): OutputReport {
  const container = read(bytes);
  if (container === null)
    return { clean: false, findings: ['unreadable'], width: 0, height: 0, format: expected.format };
  const findings = [
    ...(container.format === expected.format ? [] : [`format:${container.format}`]),
    ...(container.width === expected.width && container.height === expected.height ? [] : ['size']),
    ...container.parts.map((part) => part.name).filter((name) => !ALLOWED[expected.format].test(name)),
    ...extras(bytes, container),
    ...(container.end === bytes.byteLength ? [] : [container.end === null ? 'truncated' : 'trailing bytes']),
  ];
  return {
    clean: findings.length === 0,
    findings: [...new Set(findings)],
    width: container.width,
    height: container.height,
    format: expected.format,
  };
}

function read(bytes: Uint8Array): Container | null {
  try {
    return readContainer(bytes);
  } catch {
    return null;
  }
}

function extras(bytes: Uint8Array, container: Container): string[] {
  const extended = container.parts.find((part) => container.format === 'webp' && part.name === 'VP8X');
  const flags = extended === undefined ? 0 : (bytes[extended.start] ?? 0);
  return (flags & WEBP_EXTRAS) === 0 ? [] : ['VP8X flags'];
}
