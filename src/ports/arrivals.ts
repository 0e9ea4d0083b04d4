/**
 * Tells of objects that have arrived in the store, whoever wrote them. Each at least once, in no order, and late at times: a
 * hint and no more, since the row and the store say what is true.
 */
export interface Arrivals {
  readonly name: string;
  /**
   * Has `take` called with the key of each object, several at a time. What `take` throws is told again later, until the
   * product gives it up. Resolves once it listens. Errors: INVALID_CONFIGURATION when there is nothing to listen to.
   */
  listen(take: (key: string) => Promise<void>): Promise<void>;
  /** Asks for nothing more and waits for what is being taken; what is not taken by then is told again. */
  close(deadlineMs: number): Promise<void>;
}
