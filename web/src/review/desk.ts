import type { CaseSource } from '../../../src/domain/review-case.ts';
import type { Claim, Decision, ReviewEntry } from '../api/review.ts';

/** How long the last decision can be taken back: it is sent after that, or with the next one. */
export const UNDO_MS = 5_000;
/** Photos that are claimed ahead, so that the next one is there at once. */
const AHEAD = 20;
/** Claims lapse after five minutes. */
const RENEW_MS = 120_000;
/** New photos may come at any time. */
const LOOK_MS = 15_000;

/** What a desk works with: the API, or a stand-in. */
export interface DeskApi {
  claimNext(request: { count: number; source?: CaseSource; except: readonly string[] }): Promise<Claim>;
  renewClaims(ids: readonly string[]): Promise<Claim>;
  releaseClaims(): Promise<void>;
  decide(id: string, decision: Decision): Promise<void>;
}

export interface DeskView {
  /** Claimed photos, in order; what was decided is gone from it. */
  readonly entries: readonly ReviewEntry[];
  /** All that wait, these included; null before the first answer. */
  readonly waiting: number | null;
  /** Whether the last decision can still be taken back. */
  readonly canUndo: boolean;
  readonly problem: unknown;
}

interface Pending {
  readonly entry: ReviewEntry;
  readonly at: number;
  readonly decision: Decision;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The photos that a moderator has before them. Claims the next ones in the background, keeps the claims while it is open,
 * holds the last decision back for a moment so that it can be undone, and gives everything back when it is closed.
 */
export class ReviewDesk {
  readonly #api: DeskApi;
  readonly #onRefused: (error: unknown, entry: ReviewEntry) => void;
  readonly #listeners = new Set<() => void>();
  readonly #sending = new Map<string, Promise<void>>();
  #view: DeskView = { entries: [], waiting: null, canUndo: false, problem: null };
  #source: CaseSource | null = null;
  #pending: Pending | null = null;
  #filling: Promise<void> | null = null;
  #timers: ReturnType<typeof setInterval>[] = [];

  constructor(api: DeskApi, onRefused: (error: unknown, entry: ReviewEntry) => void) {
    this.#api = api;
    this.#onRefused = onRefused;
  }

  readonly snapshot = (): DeskView => this.#view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begins to claim. */
  open(): void {
    this.#timers = [
      setInterval(() => void this.#look(), LOOK_MS),
      setInterval(() => void this.#renew(), RENEW_MS),
    ];
    void this.fill();
  }

  /** Sends what is decided and gives the rest back. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.flush();
    await Promise.allSettled(this.#sending.values());
    await this.#api.releaseClaims().catch(() => undefined);
  }

  /** Shows only what is in the queue for that reason; null: all. */
  async filter(source: CaseSource | null): Promise<void> {
    this.flush();
    this.#source = source;
    this.#set({ entries: [] });
    await this.#filling;
    await this.#api.releaseClaims().catch(() => undefined);
    await this.fill();
  }

  /** Takes the photo off the desk; the decision is sent with the next one, or after a while. */
  decide(id: string, decision: Decision): void {
    const at = this.#view.entries.findIndex((entry) => entry.photo.id === id);
    const entry = this.#view.entries[at];
    if (entry === undefined) return;
    this.flush();
    const timer = setTimeout(() => this.flush(), UNDO_MS);
    this.#pending = { entry, at, decision, timer };
    this.#set({ entries: this.#view.entries.toSpliced(at, 1), waiting: less(this.#view.waiting, 1) });
    if (this.#view.entries.length <= AHEAD / 2) void this.fill();
  }

  /** Puts the last photo back where it was; null when its decision is on its way already. */
  undo(): string | null {
    const pending = this.#pending;
    if (pending === null) return null;
    clearTimeout(pending.timer);
    this.#pending = null;
    this.#set({
      entries: this.#view.entries.toSpliced(pending.at, 0, pending.entry),
      waiting: less(this.#view.waiting, -1),
    });
    return pending.entry.photo.id;
  }

  /** Sends the last decision now. */
  flush(): void {
    const pending = this.#pending;
    if (pending === null) return;
    clearTimeout(pending.timer);
    this.#pending = null;
    this.#set({});
    const { id } = pending.entry.photo;
    const sent = this.#api
      .decide(id, pending.decision)
      .catch((error: unknown) => this.#onRefused(error, pending.entry))
      .finally(() => this.#sending.delete(id));
    this.#sending.set(id, sent);
  }

  /** Takes photos off the desk that were decided elsewhere. */
  drop(ids: readonly string[]): void {
    const entries = this.#view.entries.filter(({ photo }) => !ids.includes(photo.id));
    const dropped = this.#view.entries.length - entries.length;
    this.#set({ entries, waiting: less(this.#view.waiting, dropped) });
    void this.fill();
  }

  /** A full desk takes no more, but wants to know how many wait. */
  #look(): Promise<void> {
    return this.#view.entries.length < AHEAD ? this.fill() : this.#renew();
  }

  /** Claims as many as are missing. One request at a time. */
  fill(): Promise<void> {
    if (this.#view.entries.length >= AHEAD) return Promise.resolve();
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  async #fill(): Promise<void> {
    const source = this.#source;
    const undecided = [...this.#sending.keys(), ...(this.#pending ? [this.#pending.entry.photo.id] : [])];
    const except = [...this.#view.entries.map(({ photo }) => photo.id), ...undecided].slice(0, 100);
    const count = AHEAD - this.#view.entries.length;
    try {
      const claim = await this.#api.claimNext({ count, except, ...(source !== null && { source }) });
      if (source !== this.#source) return;
      const held = this.#view.entries;
      const fresh = claim.photos.filter(
        ({ photo }) => !except.includes(photo.id) && !held.some((entry) => entry.photo.id === photo.id),
      );
      this.#set({
        entries: [...held, ...fresh],
        problem: null,
      });
      this.#count(claim);
    } catch (problem) {
      this.#set({ problem });
    }
  }

  async #renew(): Promise<void> {
    const ids = this.#view.entries.map(({ photo }) => photo.id);
    if (ids.length === 0) return;
    const claim = await this.#api.renewClaims(ids).catch(() => null);
    if (claim === null) return;
    if (claim.missed.length > 0) this.drop(claim.missed.map(({ id }) => id));
    this.#count(claim);
  }

  /** How many wait, without those that are decided here and not counted there yet. */
  #count({ waiting }: Claim): void {
    const undecided = this.#sending.size + (this.#pending === null ? 0 : 1);
    this.#set({ waiting: Math.max(this.#view.entries.length, waiting - undecided) });
  }

  #set(change: Partial<DeskView>): void {
    this.#view = { ...this.#view, ...change, canUndo: this.#pending !== null };
    for (const listener of this.#listeners) listener();
  }
}

function less(count: number | null, by: number): number | null {
  return count === null ? null : Math.max(0, count - by);
}
