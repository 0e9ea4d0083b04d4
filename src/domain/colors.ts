/** What people call the colors that they look for. */
export const COLORS = [
  'black',
  'white',
  'grey',
  'red',
  'orange',
  'yellow',
  'green',
  'blue',
  'purple',
  'pink',
  'brown',
] as const;
export type Color = (typeof COLORS)[number];

/** Below it a color is a detail of the photo. Fraction of its pixels. */
const LEAST_SHARE = 0.12;
/** A photo has so many dominant colors at most. */
const MOST = 3;

/** The colors that most of these pixels have, the most frequent first. `pixels`: RGBA, 0–255. */
export function dominantColors(pixels: Uint8Array): readonly Color[] {
  const counts = new Map<Color, number>();
  let seen = 0;
  for (let at = 0; at + 3 < pixels.length; at += 4) {
    if ((pixels[at + 3] ?? 0) < 128) continue;
    const name = colorOf(pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    seen += 1;
  }
  return [...counts]
    .filter(([, count]) => count >= seen * LEAST_SHARE)
    .toSorted((a, b) => b[1] - a[1] || COLORS.indexOf(a[0]) - COLORS.indexOf(b[0]))
    .slice(0, MOST)
    .map(([name]) => name);
}

/** Where each hue ends, in degrees. */
const HUES: readonly (readonly [number, Color])[] = [
  [14, 'red'],
  [42, 'orange'],
  [68, 'yellow'],
  [165, 'green'],
  [255, 'blue'],
  [290, 'purple'],
  [335, 'pink'],
  [360, 'red'],
];

/** The name of a color, by hue, saturation and lightness (HSL). */
export function colorOf(red: number, green: number, blue: number): Color {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  const lightness = (most + least) / 510;
  const chroma = (most - least) / 255;
  const saturation = chroma === 0 ? 0 : chroma / (1 - Math.abs(2 * lightness - 1));
  if (lightness < 0.12) return 'black';
  if (lightness > 0.92) return 'white';
  // What is pale or dark shows its hue only where there is enough of it.
  if (chroma < 0.08 || saturation < 0.12)
    return lightness < 0.2 ? 'black' : lightness > 0.82 ? 'white' : 'grey';
  const hue = hueOf(red, green, blue, most, most - least);
  const name = HUES.find(([end]) => hue < end)?.[1] ?? 'red';
  if (name === 'red' && lightness > 0.7) return 'pink';
  if ((name === 'orange' || name === 'red') && (lightness < 0.36 || saturation < 0.35)) return 'brown';
  return name;
}

function hueOf(red: number, green: number, blue: number, most: number, span: number): number {
  const sixth =
    most === red
      ? ((green - blue) / span + 6) % 6
      : most === green
        ? (blue - red) / span + 2
        : (red - green) / span + 4;
  return sixth * 60;
}
