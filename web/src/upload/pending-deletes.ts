/** How long a deletion can be undone. */
export const UNDO_MS = 6_000;

/**
 * Deletions that are shown at once and done a little later, so that they can be undone. `flush` does
 * all that are waiting: when the page is left, what was deleted stays deleted.
 */
export class PendingDeletes {
  readonly #waiting = new Map<string, { timer: ReturnType<typeof setTimeout>; run: () => void }>();
  readonly #listeners = new Set<() => void>();
  #hidden: ReadonlySet<string> = new Set();

  /** Ids that should not be shown: waiting, or being deleted. Stable between changes. */
  readonly snapshot = (): ReadonlySet<string> => this.#hidden;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Hides the photo now and runs the deletion after `ms`. When it fails the photo is shown again. */
  schedule(id: string, run: () => Promise<void>, ms = UNDO_MS): void {
    if (this.#waiting.has(id)) return;
    const start = () => {
      this.#waiting.delete(id);
      run().catch(() => this.#show(id));
    };
    this.#waiting.set(id, { timer: setTimeout(start, ms), run: start });
    this.#set(new Set([...this.#hidden, id]));
  }

  /** Takes a deletion back. False when it was too late. */
  undo(id: string): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    this.#show(id);
    return true;
  }

  /** Does everything that is waiting, now. */
  flush(): void {
    for (const { timer, run } of this.#waiting.values()) {
      clearTimeout(timer);
      run();
    }
  }

  #show(id: string): void {
    this.#set(new Set([...this.#hidden].filter((each) => each !== id)));
  }

  #set(hidden: ReadonlySet<string>): void {
    this.#hidden = hidden;
    for (const listener of this.#listeners) listener();
  }
}
