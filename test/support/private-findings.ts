import type { Metadata } from './exiftool.ts';

/** What a public file must not say. */
export type FindingKind =
  | 'place'
  | 'date'
  | 'camera'
  | 'xmp'
  | 'iptc'
  | 'thumbnail'
  | 'maker notes'
  | 'comment'
  | 'trailer'
  | 'unknown';

/** One thing found, ready to be read in a failed assertion. */
export interface Finding {
  kind: FindingKind;
  /** `group:name` as exiftool calls it. */
  tag: string;
  value: string;
}

/**
 * Everything in the metadata that a public file must not carry. An empty list is the promise.
 *
 * Only what describes the pixels is let through, by name: a tag that nobody thought of is a finding.
 */
export function privateFindings(metadata: Metadata): Finding[] {
  return Object.entries(metadata)
    .filter(([tag]) => !isTechnical(tag))
    .map(([tag, value]) => ({ kind: kindOf(tag), tag, value: String(value).slice(0, 80) }));
}

/** Tags that describe coding, size or colour, or the reading itself (System, ExifTool). */
const TECHNICAL: readonly RegExp[] = [
  /^SourceFile$/,
  /^ExifTool:ExifToolVersion$/,
  /^System:/,
  /^File:(FileType|FileTypeExtension|MIMEType|ImageWidth|ImageHeight|EncodingProcess|BitsPerSample|ColorComponents|YCbCrSubSampling)$/,
  /^JFIF:(JFIFVersion|ResolutionUnit|XResolution|YResolution)$/,
  /^Adobe:(DCTEncodeVersion|APP14Flags0|APP14Flags1|ColorTransform)$/,
  /^PNG:(ImageWidth|ImageHeight|BitDepth|ColorType|Compression|Filter|Interlace|Palette|Transparency|Gamma|SRGBRendering|ProfileName)$/,
  /^PNG-(pHYs|cHRM|cICP|sBIT):/,
  /^RIFF:(ImageWidth|ImageHeight|VP8Version|HorizontalScale|VerticalScale|WebP_Flags|AlphaIsUsed|Alpha\w+)$/,
  /^(QuickTime|Meta):(MajorBrand|MinorVersion|CompatibleBrands|HandlerType|PrimaryItemReference|MetaImageSize|ImageSpatialExtent|ImagePixelDepth|AuxiliaryImageType|MediaData(Size|Offset)?|Color(Profiles|Primaries)|TransferCharacteristics|MatrixCoefficients|VideoFullRangeFlag|AV1\w+|Seq(Profile|LevelIdx0|Tier0)|HighBitDepth|TwelveBit|InitialDelaySamples|Chroma\w+|PixelAspectRatio)$/,
  /^ICC_Profile\d*:|^ICC-/,
  /^Composite:(ImageSize|Megapixels)$/,
];

function isTechnical(tag: string): boolean {
  return TECHNICAL.some((pattern) => pattern.test(tag));
}

/** In this order: the first that fits names the finding. */
const KINDS: readonly [FindingKind, RegExp][] = [
  ['trailer', /^Trailer:|Trailer/],
  ['place', /GPS|Location|City|Country|Province|Latitude|Longitude/],
  ['thumbnail', /Thumbnail|Preview|^IFD1:|MPImage|OtherImage/],
  ['xmp', /^XMP/],
  ['iptc', /^(IPTC|Photoshop)|IPTC/],
  ['maker notes', /^(Apple|Nokia|Samsung|Sony|Canon|Nikon|Google|Xiaomi|Microsoft)|Maker/],
  ['comment', /Comment|Description|Copyright|Artist|^PNG:(Title|Author|Software|Source|Textual)/],
  ['date', /:.*(Date|OffsetTime|SubSecTime|TimeStamp|TimeZone)/],
  ['camera', /^(IFD0|ExifIFD|InteropIFD|SubIFD):/],
];

function kindOf(tag: string): FindingKind {
  return KINDS.find(([, pattern]) => pattern.test(tag))?.[0] ?? 'unknown';
}
