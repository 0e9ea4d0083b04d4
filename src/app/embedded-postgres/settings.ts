import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from './endpoint.ts';

/** Writes `postgresql.conf` afresh: it belongs to this program, and an update of it changes the settings too. */
export async function writeSettings(
  dataFolder: string,
  endpoint: Endpoint,
  options: { fsync: boolean },
): Promise<void> {
  const lines = Object.entries(settingsFor(endpoint, options)).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`,
  );
  const text = ['# Written at every start: changes made here are lost.', ...lines, ''].join('\n');
  await writeFile(path.join(dataFolder, 'postgresql.conf'), text);
}

function settingsFor(endpoint: Endpoint, { fsync }: { fsync: boolean }): Record<string, string> {
  return {
    listen_addresses: endpoint.kind === 'tcp' ? '127.0.0.1' : '',
    // A list of quoted names.
    unix_socket_directories: endpoint.kind === 'socket' ? `"${endpoint.folder.replaceAll('"', '""')}"` : '',
    unix_socket_permissions: '0700',
    port: String(endpoint.port),
    max_connections: '60',
    // A query whose client was killed ends within a second, and frees its locks. Needs POLLRDHUP or the like.
    ...(process.platform === 'win32' ? {} : { client_connection_check_interval: '1s' }),

    shared_buffers: '64MB',
    work_mem: '4MB',
    maintenance_work_mem: '32MB',
    effective_cache_size: '512MB',
    huge_pages: 'off',
    jit: 'off',
    // No processes for what a single small server does not do: asynchronous reads, replication, wide parallel plans.
    io_method: 'sync',
    max_worker_processes: '2',
    max_parallel_workers: '2',
    max_parallel_workers_per_gather: '1',
    max_logical_replication_workers: '0',
    autovacuum_worker_slots: '2',
    autovacuum_max_workers: '2',
    wal_level: 'minimal',
    max_wal_senders: '0',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    // Without fsync a commit still outlives the server's processes: the kernel has it.
    ...(fsync ? {} : { fsync: 'off', full_page_writes: 'off' }),

    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    default_text_search_config: 'pg_catalog.simple',
    // Errors of statements reach the application, which logs them. Here they would fill the file and quote private values.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_autovacuum_min_duration: '-1',
  };
}
