/** One kind of cached value. */
export interface CacheKind<T> {
  /** Letters, digits and hyphens. Values of another form get another name, so that old and new versions run side by side. */
  readonly name: string;
  /** How long a value is kept at most. */
  readonly ttlSeconds: number;
  /** Throws for what is no such value: it is treated as absent. */
  parse(value: unknown): T;
}

export interface CacheEntry<T> {
  readonly kind: CacheKind<T>;
  readonly key: string;
  /**
   * What the value was made of, as the database tells it at the time of the question. A value of another version is absent:
   * whoever has just written reads what was written, whatever is kept, wherever.
   */
  readonly version: string;
}

/**
 * Keeps what can be made again. Nothing here is needed: a server that is slow, gone, empty, full or lies is as one that has
 * nothing. No call rejects for that, or takes longer than a fraction of a second.
 */
export interface Cache {
  readonly name: 'memory' | 'redis';
  /** The value of exactly that version; undefined when there is none. */
  get<T>(entry: CacheEntry<T>): Promise<T | undefined>;
  /** Keeps a value that JSON can hold, in the place of other versions. */
  set<T>(entry: CacheEntry<T>, value: T): Promise<void>;
  /** The value, or what `make` gives, which is kept. Who asks for the same at one time waits for one making. */
  through<T>(entry: CacheEntry<T>, make: () => Promise<T>): Promise<T>;
  /** Forgets these keys of a kind, in every process that shares the server; one that is away forgets by `ttlSeconds`. */
  forget(kind: string, keys: readonly string[]): Promise<void>;
  /** Forgets all keys of a kind that begin so. */
  forgetPrefix(kind: string, prefix: string): Promise<void>;
  close(): Promise<void>;
}
