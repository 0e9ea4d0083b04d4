/** How many parts of an object are read at once. */
export interface Lanes {
  /** For the parts that are asked for next. */
  count(): number;
  /** A part has been passed on, and its reader has waited for it for so many milliseconds. */
  passed(waitedMs: number): void;
}

/** Parts that are under way or wait for their turn: 32 MiB of memory at most, whatever the object's size. */
const PARALLEL_PARTS = 4;
/**
 * A part of 8 MiB that kept its reader waiting for longer came at less than 100 MB/s. One connection to S3 gives 85 to 90
 * (Amazon S3 User Guide, "Performance guidelines", 2025).
 */
const SLOW_PART_MS = 80;
const SLOW_PARTS = 2;
const TRIED_PARTS = 8;
/** Four connections through a free line are nearly four times as fast; where all share one limit they are no faster. */
const WORTH = 0.75;

/**
 * One until that is slow; then four, and one again where four are hardly faster: the line, the server or the processor is
 * the limit then, and more connections only cost more.
 */
export function chooseLanes(): Lanes {
  let lanes = 1;
  let isSettled = false;
  let slow: number[] = [];
  let tried: number[] = [];
  return {
    count: () => lanes,
    passed(waitedMs) {
      if (isSettled) return;
      if (lanes === 1) {
        slow = waitedMs > SLOW_PART_MS ? [...slow, waitedMs] : [];
        if (slow.length === SLOW_PARTS) lanes = PARALLEL_PARTS;
        return;
      }
      tried = [...tried, waitedMs];
      if (tried.length < TRIED_PARTS) return;
      isSettled = true;
      if (mean(tried) > WORTH * mean(slow)) lanes = 1;
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
