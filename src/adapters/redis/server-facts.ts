/** What Redis tells of itself that matters here. */
export interface ServerFacts {
  /** Major, minor and patch. */
  readonly version: readonly number[];
  /** What goes when memory is full; null when the server does not tell. */
  readonly evictionPolicy: string | null;
  /** Whether anything is left after a restart: an append-only file, or snapshots. */
  readonly persists: boolean;
  readonly isCluster: boolean;
  readonly isReplica: boolean;
}

/** Reads the answer to INFO, with a line `save:` for the setting of that name where it is known ("INFO", Redis commands). */
export function factsIn(info: string): ServerFacts {
  const lines = info.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')), line] as const);
  const fields = new Map(lines.map(([name, line]) => [name, line.slice(name.length + 1)]));
  const save = fields.get('save');
  return {
    version: (fields.get('redis_version') ?? '').split('.').map(Number),
    evictionPolicy: fields.get('maxmemory_policy') ?? null,
    // Where snapshots are a secret of the service that runs the server, they are its business.
    persists: fields.get('aof_enabled') === '1' || save === undefined || save.trim() !== '',
    isCluster: fields.get('cluster_enabled') === '1',
    isReplica: fields.get('role') === 'slave',
  };
}
