import { z } from 'zod';
import type { Listener } from './listener.ts';

/** A change of a file that listeners are told of; they re-read what they show. */
export interface FileChange {
  readonly fileId: string;
  readonly itemId: string | null;
}
/** `null`: something may have been missed, re-read all. */
export type FileChangeListener = (change: FileChange | null) => void;

export interface FileEvents {
  /** Calls back after each committed change of that file, or of any file of that item. Returns the way to stop it. */
  subscribe(filter: { fileId?: string; itemId?: string }, listener: FileChangeListener): () => void;
}

const CHANNEL = 'localex_files';
const payloadSchema = z.object({ fileId: z.string(), itemId: z.string().nullable() });

/** Turns the database's notifications into calls. */
export async function createFileEvents(listener: Listener): Promise<FileEvents> {
  const byFile = new Map<string, Set<FileChangeListener>>();
  const byItem = new Map<string, Set<FileChangeListener>>();

  await listener.listen(CHANNEL, (payload) => {
    if (payload === null) {
      for (const listeners of [...byFile.values(), ...byItem.values()]) tell(listeners, null);
      return;
    }
    const change = payloadSchema.parse(JSON.parse(payload));
    tell(byFile.get(change.fileId), change);
    if (change.itemId !== null) tell(byItem.get(change.itemId), change);
  });

  return {
    subscribe(filter, callback) {
      const stops = [
        filter.fileId === undefined ? null : add(byFile, filter.fileId, callback),
        filter.itemId === undefined ? null : add(byItem, filter.itemId, callback),
      ];
      return () => {
        for (const stop of stops) stop?.();
      };
    },
  };
}

function tell(listeners: ReadonlySet<FileChangeListener> | undefined, change: FileChange | null): void {
  for (const listener of listeners ?? []) listener(change);
}

function add(
  index: Map<string, Set<FileChangeListener>>,
  id: string,
  callback: FileChangeListener,
): () => void {
  const listeners = index.get(id) ?? new Set();
  listeners.add(callback);
  index.set(id, listeners);
  return () => {
    listeners.delete(callback);
    if (listeners.size === 0) index.delete(id);
  };
}
