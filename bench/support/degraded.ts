import sharp, { type Sharp } from 'sharp';

/** A photo as its seller might have taken it worse: named ways, each from a sharp and well lit one. */
export interface Degraded {
  readonly name: string;
  readonly expects: 'BLURRY' | 'DARK' | 'TINY' | null;
  readonly make: (photo: Buffer) => Promise<Buffer>;
}

/** Sizes are those of the 800 px rendition; the photos are 1,200 px when this is done to them. */
const SCALE = 1200 / 800;

export const DEGRADED: readonly Degraded[] = [
  blurred(1.5),
  blurred(2),
  blurred(3),
  moved(7),
  moved(13),
  { name: 'enlarged four times', expects: 'BLURRY', make: enlarged },
  darker(2),
  darker(3),
  darker(4),
  {
    name: '400 px',
    expects: 'TINY',
    make: (photo) => jpeg(sharp(photo).resize(400, 400, { fit: 'inside' })),
  },
  { name: 'untouched', expects: null, make: (photo) => Promise.resolve(photo) },
  { name: 'JPEG quality 50', expects: null, make: (photo) => sharp(photo).jpeg({ quality: 50 }).toBuffer() },
  { name: 'background out of focus', expects: null, make: outOfFocus },
  { name: 'brighter by a third', expects: null, make: (photo) => jpeg(sharp(photo).linear(1.3, 0)) },
  { name: 'with a white frame', expects: null, make: framed },
];

function blurred(sigma: number): Degraded {
  return {
    name: `blur of σ ${sigma} px`,
    expects: 'BLURRY',
    make: (photo) => jpeg(sharp(photo).blur(sigma * SCALE)),
  };
}

/** A hand that moved sideways. */
function moved(pixels: number): Degraded {
  const width = 2 * Math.round((pixels * SCALE) / 2) + 1;
  const kernel = Array.from({ length: width * width }, (_, at) =>
    Math.floor(at / width) === (width - 1) / 2 ? 1 : 0,
  );
  return {
    name: `moved by ${pixels} px`,
    expects: 'BLURRY',
    make: (photo) => jpeg(sharp(photo).convolve({ width, height: width, kernel, scale: width })),
  };
}

/** As many stops less light, by the curve of sRGB (IEC 61966-2-1). */
function darker(stops: number): Degraded {
  const curve = Uint8Array.from({ length: 256 }, (_, value) => encoded(linear(value / 255) / 2 ** stops));
  return {
    name: `${stops} stops darker`,
    expects: 'DARK',
    make: async (photo) => {
      const { data, info } = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
      return jpeg(
        sharp(
          data.map((value) => curve[value] ?? 0),
          { raw: info },
        ),
      );
    },
  };
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encoded(value: number): number {
  return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

async function enlarged(photo: Buffer): Promise<Buffer> {
  const small = await sharp(photo).resize(200, 200, { fit: 'inside' }).toBuffer();
  return jpeg(sharp(small).resize(1200, 1200, { fit: 'inside' }));
}

/** Sharp in the middle ellipse only. */
async function outOfFocus(photo: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(photo).metadata();
  const ellipse = `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width / 4}" ry="${height / 4}"/></svg>`;
  const middle = await sharp(photo)
    .ensureAlpha()
    .composite([{ input: Buffer.from(ellipse), blend: 'dest-in' }])
    .png()
    .toBuffer();
  return jpeg(sharp(await sharp(photo).blur(6).toBuffer()).composite([{ input: middle }]));
}

function framed(photo: Buffer): Promise<Buffer> {
  return jpeg(sharp(photo).extend({ top: 60, bottom: 60, left: 60, right: 60, background: '#fff' }));
}

function jpeg(pipeline: Sharp): Promise<Buffer> {
  return pipeline.jpeg({ quality: 85 }).toBuffer();
}
