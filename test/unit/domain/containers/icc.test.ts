import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readIcc } from '#src/domain/containers/icc.ts';
import { displayP3Jpeg } from '#test/support/unusual.ts';

/** The profile that libvips embeds under one of its names. */
async function profileNamed(name: 'srgb' | 'p3' | 'cmyk'): Promise<Buffer> {
  const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#a52' } });
  const jpeg = await picture.withIccProfile(name).jpeg().toBuffer();
  return profileOf(jpeg);
}

async function profileOf(jpeg: Buffer): Promise<Buffer> {
  const { icc } = await sharp(jpeg).metadata();
  if (icc === undefined) throw new Error('Expected a profile in the JPEG');
  return icc;
}

/** Where a tag's data begins. */
function tagAt(icc: Buffer, signature: string): number {
  for (let at = 132; at < 132 + icc.readUInt32BE(128) * 12; at += 12)
    if (icc.toString('latin1', at, at + 4) === signature) return icc.readUInt32BE(at + 4);
  throw new Error(`Expected a tag ${signature}`);
}

/** A copy of sRGB with something written over its green tone curve. */
async function withTone(write: (icc: Buffer, at: number) => void): Promise<Buffer> {
  const icc = Buffer.concat([await profileNamed('srgb'), Buffer.alloc(64)]);
  write(icc, tagAt(icc, 'gTRC'));
  return icc;
}

describe('a colour profile', () => {
  test('sRGB needs no conversion', async () => {
    expect(readIcc(await profileNamed('srgb'))).toEqual({ space: 'RGB', gamut: 'srgb' });
  });

  test('Display P3 reaches colours outside sRGB', async () => {
    expect(readIcc(await profileNamed('p3'))).toEqual({ space: 'RGB', gamut: 'wide' });
    expect(readIcc(await profileOf((await displayP3Jpeg()).bytes))?.gamut).toBe('wide');
  });

  test('CMYK is to be converted', async () => {
    expect(readIcc(await profileNamed('cmyk'))).toEqual({ space: 'CMYK', gamut: 'other' });
  });

  test('sRGB colours with another tone are to be converted', async () => {
    const linear = await withTone((icc, at) => {
      icc.write('curv', at, 'latin1');
      icc.writeUInt32BE(0, at + 8);
    });
    expect(readIcc(linear)?.gamut).toBe('other');
    const gamma18 = await withTone((icc, at) => {
      icc.write('curv', at, 'latin1');
      icc.writeUInt32BE(1, at + 8);
      icc.writeUInt16BE(Math.round(1.8 * 256), at + 12);
    });
    expect(readIcc(gamma18)?.gamut).toBe('other');
  });

  test('a plain gamma of 2.2 is near enough to the tone of sRGB', async () => {
    const gamma22 = await withTone((icc, at) => {
      icc.write('para', at, 'latin1');
      icc.writeUInt16BE(0, at + 8);
      icc.writeInt32BE(Math.round(2.2 * 65_536), at + 12);
    });
    expect(readIcc(gamma22)?.gamut).toBe('srgb');
  });

  test('a curve of unknown kind is to be converted', async () => {
    const unknown = await withTone((icc, at) => icc.write('none', at, 'latin1'));
    expect(readIcc(unknown)?.gamut).toBe('other');
  });

  test('colours inside sRGB are to be converted, and add none', async () => {
    const icc = Buffer.from(await profileNamed('srgb'));
    const red = tagAt(icc, 'rXYZ');
    for (const [index, value] of [0.4, 0.25, 0.06].entries())
      icc.writeInt32BE(Math.round(value * 65_536), red + 8 + index * 4);
    expect(readIcc(icc)).toEqual({ space: 'RGB', gamut: 'other' });
  });

  test('a profile without colorants counts as wide, so that it is converted', async () => {
    const icc = Buffer.from(await profileNamed('srgb'));
    icc.write('none', tagAt(icc, 'bXYZ'), 'latin1');
    expect(readIcc(icc)).toEqual({ space: 'RGB', gamut: 'wide' });
  });

  test('whatever bytes come, it answers or says null, and never throws', async () => {
    const srgb = await profileNamed('srgb');
    fc.assert(
      fc.property(fc.nat(srgb.length - 1), fc.nat(255), fc.nat(srgb.length), (at, value, length) => {
        const damaged = Buffer.from(srgb.subarray(0, length));
        if (at < damaged.length) damaged.writeUInt8(value, at);
        const profile = readIcc(damaged);
        expect(profile === null || ['srgb', 'wide', 'other'].includes(profile.gamut)).toBe(true);
      }),
    );
  });
});
