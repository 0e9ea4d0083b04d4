/** What stands between the store and the eye. */
export interface Cdn {
  readonly name: string;
  /** Absolute public URL of a path such as `items/large/…jpg`. */
  url(path: string): string;
  /** Absolute URL of a private object that works until `expiresAt`. */
  signedUrl(path: string, expiresAt: Date): string;
  /** Forgets cached answers. Exact paths, or a prefix ending in `*`. */
  invalidate(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
