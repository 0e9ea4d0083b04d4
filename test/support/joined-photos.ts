import { endOfJpeg } from './jpeg.ts';

/** A JPEG with another one behind its end, named by a Multi-Picture index (CIPA DC-007). */
export function secondPictureJpeg(first: Buffer, second: Buffer): Buffer {
  const whole = first.subarray(0, endOfJpeg(first));
  return Buffer.concat([withSegment(whole, 0xe2, index(whole.length, second.length)), second]);
}

/** A JPEG as Ultra HDR keeps it: the gain map is a second picture, XMP in both says so. */
export function gainMapJpeg(photo: Buffer, map: Buffer): Buffer {
  const directory = `<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="${map.length}"/></rdf:li></rdf:Seq></Container:Directory>`;
  const marked = withXmp(
    map,
    `<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" hdrgm:GainMapMax="2.3"/>`,
  );
  const primary = withXmp(
    photo,
    `<rdf:Description xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0">${directory}</rdf:Description>`,
  );
  return secondPictureJpeg(primary, marked);
}

/** A JPEG with a film behind it, as Android's motion photos are. */
export function motionJpeg(photo: Buffer, film: Buffer): Buffer {
  const marked = withXmp(
    photo,
    `<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" GCamera:MicroVideoOffset="${film.length}"/>`,
  );
  return Buffer.concat([marked, film]);
}

/** An MP4 without pictures that says where it was taken (`©xyz`). */
export function movie(latitude: string, longitude: string): Buffer {
  const place = Buffer.from(`+${latitude}+00${longitude}/`);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(place.length, 0);
  head.writeUInt16BE(0x15c7, 2); // language
  const xyz = box('\u00a9xyz', Buffer.concat([head, place]));
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\0\0isommp42', 'latin1')),
    box('moov', box('mvhd', Buffer.alloc(100)), box('udta', xyz)),
    box('mdat', Buffer.alloc(200)),
  ]);
}

/** ISO/IEC 14496-12. */
export function box(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

function withXmp(jpeg: Buffer, description: string): Buffer {
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${description}</rdf:RDF></x:xmpmeta>`;
  return withSegment(jpeg, 0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${packet}`));
}

/** A segment behind the start of the image. */
function withSegment(jpeg: Buffer, marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)]);
}

/** An index of two pictures; offsets count from the byte order mark, which stands 10 bytes into the file. */
function index(firstLength: number, secondLength: number): Buffer {
  const entries = 3;
  const pictures = 8 + 2 + entries * 12 + 4;
  const body = Buffer.alloc(pictures + 32);
  const total = body.length + 4;
  body.write('II*\0', 0, 'latin1');
  body.writeUInt32LE(8, 4);
  body.writeUInt16LE(entries, 8);
  const field = (at: number, tag: number, type: number, count: number, value: number) => {
    body.writeUInt16LE(tag, at);
    body.writeUInt16LE(type, at + 2);
    body.writeUInt32LE(count, at + 4);
    body.writeUInt32LE(value, at + 8);
  };
  field(10, 0xb000, 7, 4, Buffer.from('0100').readUInt32LE());
  field(22, 0xb001, 4, 1, 2);
  field(34, 0xb002, 7, 32, pictures);
  body.writeUInt32LE(0x030000, pictures);
  body.writeUInt32LE(firstLength + total + 4, pictures + 4);
  body.writeUInt32LE(secondLength, pictures + 20);
  body.writeUInt32LE(firstLength + total + 4 - 10, pictures + 24);
  return Buffer.concat([Buffer.from('MPF\0', 'latin1'), body]);
}
