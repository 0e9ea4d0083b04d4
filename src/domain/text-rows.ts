import type { Region } from './finding.ts';
import type { SeenText } from './contacts.ts';

/** The widest gap between two pieces of one row, in heights of the letters. */
const MAX_GAP = 1.5;

/**
 * Text as a person reads it: pieces that stand beside each other in one row together, since a number is often found in
 * pieces. A row is as sure as its least sure piece.
 */
export function rowsOf(lines: readonly SeenText[]): readonly SeenText[] {
  const rows: SeenText[] = [];
  for (const line of lines.toSorted((a, b) => a.region.left - b.region.left)) {
    const at = rows.findIndex((row) => isBeside(row.region, line.region));
    const row = rows[at];
    if (row === undefined) rows.push(line);
    else rows[at] = joined(row, line);
  }
  return rows;
}

function isBeside(left: Region, right: Region): boolean {
  const height = Math.min(left.height, right.height);
  const overlap = Math.min(left.top + left.height, right.top + right.height) - Math.max(left.top, right.top);
  const gap = right.left - (left.left + left.width);
  return overlap > height / 2 && gap < MAX_GAP * Math.max(left.height, right.height) && gap > -height;
}

function joined(left: SeenText, right: SeenText): SeenText {
  const top = Math.min(left.region.top, right.region.top);
  const bottom = Math.max(left.region.top + left.region.height, right.region.top + right.region.height);
  const end = Math.max(left.region.left + left.region.width, right.region.left + right.region.width);
  return {
    text: `${left.text} ${right.text}`,
    confidence: Math.min(left.confidence, right.confidence),
    region: { left: left.region.left, top, width: end - left.region.left, height: bottom - top },
  };
}
