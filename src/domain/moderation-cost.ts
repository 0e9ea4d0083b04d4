/** Photos of a month up to so many, and what each of them costs. US dollars. */
interface Step {
  readonly upTo: number;
  readonly usd: number;
}

/**
 * DetectModerationLabels is in group 2 of Amazon Rekognition Image. N. Virginia, price page of Amazon Rekognition
 * (https://aws.amazon.com/rekognition/pricing/, 2025), without the free tier and without taxes. Other regions have the
 * same shape and other numbers.
 */
const REKOGNITION: readonly Step[] = [
  { upTo: 1_000_000, usd: 0.001 },
  { upTo: 5_000_000, usd: 0.0008 },
  { upTo: 35_000_000, usd: 0.0006 },
  { upTo: Number.POSITIVE_INFINITY, usd: 0.00025 },
];

/** What a detector charges for the photos of one month, in US dollars; null for one whose prices are not known. */
export function detectorUsd(detector: string, photosOfMonth: number): number | null {
  if (detector !== 'rekognition') return null;
  let from = 0;
  let usd = 0;
  for (const step of REKOGNITION) {
    usd += Math.max(0, Math.min(photosOfMonth, step.upTo) - from) * step.usd;
    from = step.upTo;
  }
  return usd;
}
