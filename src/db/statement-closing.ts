import type pg from 'pg';

/**
 * Closes a prepared statement by the protocol's Close, in the queue of a client of `pg`. Unlike DEALLOCATE it is no error
 * where there is no such statement or the transaction has failed, and a pooler between understands it. `pg` has no call for
 * it: it talks to whatever has these methods.
 */
export class StatementClosing implements pg.Submittable {
  readonly done: Promise<void>;
  readonly #name: string;
  readonly #closed = Promise.withResolvers<void>();

  constructor(name: string) {
    this.#name = name;
    this.done = this.#closed.promise;
  }

  submit(connection: pg.Connection): void {
    connection.close({ type: 'S', name: this.#name }, false);
    connection.sync();
    // What `pg` believes to be prepared, it does not prepare again.
    if ('parsedStatements' in connection && connection.parsedStatements instanceof Object)
      Reflect.deleteProperty(connection.parsedStatements, this.#name);
  }

  handleReadyForQuery(): void {
    this.#closed.resolve();
  }

  handleError(error: Error): void {
    this.#closed.reject(error);
  }
}
