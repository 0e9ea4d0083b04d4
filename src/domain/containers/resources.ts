/** What the image resources of a file hold. */
export interface Resources {
  readonly hasIptc: boolean;
  readonly hasThumbnail: boolean;
  /** Numbers of the IPTC application datasets that have a value. */
  readonly datasets: ReadonlySet<number>;
  readonly exif: readonly Buffer[];
  readonly xmp: readonly Buffer[];
}

/** Numbers of resources (Adobe Photoshop File Formats Specification). */
const IPTC = 0x0404;
const THUMBNAILS = new Set([0x0409, 0x040c]);
const EXIF = new Set([0x0422, 0x0423]);
const XMP = 0x0424;

const APPLICATION_RECORD = 2;
/** In the application record: the version of the record, which says nothing. */
const RECORD_VERSION = 0;

/** Reads image resources (`8BIM`), or a bare IPTC block. What does not fit ends the reading. */
export function readResources(content: Buffer): Resources {
  if (content[0] === 0x1c) return { ...NONE, hasIptc: true, datasets: readDatasets(content) };
  const blocks = [...blocksOf(content)];
  const of = (wanted: (id: number) => boolean) =>
    blocks.filter(({ id }) => wanted(id)).map(({ data }) => data);
  const iptc = of((id) => id === IPTC);
  return {
    hasIptc: iptc.length > 0,
    hasThumbnail: of((id) => THUMBNAILS.has(id)).length > 0,
    datasets: new Set(iptc.flatMap((block) => [...readDatasets(block)])),
    exif: of((id) => EXIF.has(id)),
    xmp: of((id) => id === XMP),
  };
}

const NONE: Resources = {
  hasIptc: false,
  hasThumbnail: false,
  datasets: new Set(),
  exif: [],
  xmp: [],
};

function* blocksOf(content: Buffer): Generator<{ id: number; data: Buffer }> {
  for (let at = 0; at + 12 <= content.length && content.toString('latin1', at, at + 4) === '8BIM'; ) {
    const id = content.readUInt16BE(at + 4);
    const name = 1 + (content[at + 6] ?? 0);
    const length = at + 6 + name + (name & 1);
    if (length + 4 > content.length) return;
    const start = length + 4;
    const end = start + content.readUInt32BE(length);
    if (end > content.length) return;
    yield { id, data: content.subarray(start, end) };
    at = end + (end & 1);
  }
}

/** IPTC-IIM 4.2: a mark, record, dataset, and 15 bits of length; longer ones are of no interest and end the reading. */
function readDatasets(iptc: Buffer): Set<number> {
  const found = new Set<number>();
  for (let at = 0; at + 5 <= iptc.length && iptc[at] === 0x1c; ) {
    const [record, dataset, length] = [iptc[at + 1], iptc.readUInt8(at + 2), iptc.readUInt16BE(at + 3)];
    if (record === APPLICATION_RECORD && dataset !== RECORD_VERSION && length > 0) found.add(dataset);
    at += 5 + length;
  }
  return found;
}
