import type { FileId } from './ids.ts';
import {
  type AnsweredRequest,
  type Day,
  dayOf,
  type DeliveryUsage,
  isView,
  type PhotoUsage,
} from './usage.ts';

export interface Tallied {
  readonly photos: readonly PhotoUsage[];
  readonly deliveries: readonly DeliveryUsage[];
}

export interface UsageTally {
  /** Entries that are kept: photos by day. */
  readonly size: number;
  /** @param fileId of the photo that the request was for; null when it was for something else */
  add(request: AnsweredRequest, fileId: FileId | null): void;
  /** What was added since the last time. */
  take(): Tallied;
}

/** Adds up requests in memory, by photo and day. */
export function createUsageTally(): UsageTally {
  let days = new Map<Day, DaySums>();
  let size = 0;
  let last: { readonly at: Date; readonly sums: DaySums } | null = null;

  /** Requests of one moment share their date: it is written out once. */
  const sumsAt = (at: Date): DaySums => {
    if (last?.at === at) return last.sums;
    const day = dayOf(at);
    const sums = entry(days, day, () => ({ delivery: noDelivery(day), photos: new Map() }));
    last = { at, sums };
    return sums;
  };
  return {
    get size() {
      return size;
    },
    add(request, fileId) {
      const { delivery, photos } = sumsAt(request.at);
      addDelivery(delivery, request);
      if (fileId === null || !isView(request)) return;
      const photo = entry(photos, fileId, () => {
        size += 1;
        return noViews(fileId, delivery.day);
      });
      addView(photo, request);
    },
    take() {
      const sums = [...days.values()];
      days = new Map();
      size = 0;
      last = null;
      return {
        photos: sums.flatMap(({ photos }) => [...photos.values()]),
        deliveries: sums.map(({ delivery }) => delivery),
      };
    },
  };
}

interface DaySums {
  readonly delivery: Mutable<DeliveryUsage>;
  readonly photos: Map<FileId, Mutable<PhotoUsage>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function addDelivery(sum: Mutable<DeliveryUsage>, { delivery, bytes, isRobot }: AnsweredRequest): void {
  sum.requests += 1;
  sum.bytes += bytes;
  if (isRobot) sum.robotRequests += 1;
  if (delivery === 'hit') sum.hits += 1;
  if (delivery === 'miss') sum.misses += 1;
  if (delivery === 'error') sum.errors += 1;
}

function addView(sum: Mutable<PhotoUsage>, { at, bytes, isRobot }: AnsweredRequest): void {
  sum.bytes += bytes;
  if (isRobot) {
    sum.robotViews += 1;
    return;
  }
  sum.views += 1;
  if (sum.lastViewedAt === null || sum.lastViewedAt < at) sum.lastViewedAt = at;
}

function noViews(fileId: FileId, day: Day): Mutable<PhotoUsage> {
  return { fileId, day, views: 0, robotViews: 0, bytes: 0, lastViewedAt: null };
}

function noDelivery(day: Day): Mutable<DeliveryUsage> {
  return { day, requests: 0, robotRequests: 0, hits: 0, misses: 0, errors: 0, bytes: 0 };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
