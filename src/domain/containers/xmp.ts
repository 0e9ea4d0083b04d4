/** What XMP may tell that is to be named; a packet is searched as text, since its names matter and its structure does not. */
const TELLING = {
  gps: /[:\s]GPS(Latitude|Longitude|Position|Coordinates|Dest)|[:\s]G(ps|PS)(Latitude|Longitud?e|Longtitude)/,
  placeNames:
    /Iptc4xmp(Core:(Location|CountryCode)|Ext:Location(Shown|Created))|photoshop:(City|State|Country)|[:\s]Sublocation/,
  camera: /[:\s](Make|Model|Lens|LensModel|LensMake|LensInfo|LensID|CameraProfile|UniqueCameraModel)\s*(=|>)/,
  serialNumbers:
    /[:\s](SerialNumber|BodySerialNumber|LensSerialNumber|CameraSerialNumber|ImageUniqueID|(Original|Derived)?(DocumentID|InstanceID))\s*(=|>)/,
  dates: /[:\s]\w{0,20}Date(Time\w{0,20}|Created|Modified|Acquired)?\s*(=|>)/,
  people:
    /dc:(creator|rights|publisher|contributor)|[:\s](OwnerName|CameraOwnerName|Owner|PersonInImage|PersonDisplayName|Artist|Copyright|CreatorContactInfo|Credit|AuthorsPosition|Regions)\b/,
  comment:
    /dc:(description|title|subject)|[:\s](UserComment|Headline|Instructions|Caption\w{0,20}|Label|ImageDescription)\s*(=|>)/,
  thumbnail: /xmp(GImg)?:(Thumbnails|image)\b/,
  gainMap: /ns\.adobe\.com\/hdr-gain-map|GainMap|hdrgainmap/,
  auxiliaryImages:
    /G(Depth|Image):Data|Semantic\s*=\s*"(Depth|Confidence|Original)"|DepthMap|portraiteffectsmatte/,
  video: /[:\s](MotionPhoto|MicroVideo)\s*(=\s*["']|>)\s*1/,
} as const;

export type XmpKind = keyof typeof TELLING;

/** The kinds of data that an XMP packet holds. UTF-16 reads as well: the zeros between its letters are dropped. */
export function readXmp(packet: Buffer): ReadonlySet<XmpKind> {
  const text = packet.toString('latin1').replaceAll('\0', '');
  return new Set(KINDS.filter((kind) => TELLING[kind].test(text)));
}

const KINDS: readonly XmpKind[] = [
  'gps',
  'placeNames',
  'camera',
  'serialNumbers',
  'dates',
  'people',
  'comment',
  'thumbnail',
  'gainMap',
  'auxiliaryImages',
  'video',
];
