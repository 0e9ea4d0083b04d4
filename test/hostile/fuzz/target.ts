/** What becomes of one case: an outcome that is allowed, or a fault that names itself. */
export type Verdict = { readonly outcome: string } | { readonly fault: string };

/** Something that is given hostile bytes. */
export interface Target {
  readonly name: string;
  /** Never rejects: what the target throws is a fault. */
  take(bytes: Buffer): Promise<Verdict>;
  close(): Promise<void>;
}
