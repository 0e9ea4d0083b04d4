/** So much of something in a window of time that begins with the first use of a key. */
export interface RateLimit {
  /** Tells its counters from those of other limits. Letters and hyphens. */
  readonly name: string;
  /** What one key may use within a window. */
  readonly quota: number;
  readonly windowSeconds: number;
}

export interface Allowance {
  readonly isAllowed: boolean;
  /** What is left of the quota; 0 or more. */
  readonly left: number;
  /** Until the window ends and the whole quota is there again. */
  readonly resetSeconds: number;
}

/** Counts use against limits, over all processes that share its store. */
export interface RateLimiter {
  readonly name: 'memory' | 'postgres' | 'redis';
  /**
   * Takes `cost` from what `key` has left, or nothing when that is more than there is. A store that does not answer is
   * an error only where that is asked for: BUSY.
   */
  take(limit: RateLimit, key: string, cost?: number): Promise<Allowance>;
  /** Gives back what was taken and not used. */
  giveBack(limit: RateLimit, key: string, cost: number): Promise<void>;
  close(): Promise<void>;
}
