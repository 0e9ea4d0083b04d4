/** A place for a photo's bytes that the service has set aside. */
export interface Reserved {
  readonly id: string;
  readonly url: string;
}

/** Remembers unfinished uploads, so that choosing the same file again goes on where it stopped. A Map is one, until a reload. */
export interface ResumeStore {
  get(key: string): Reserved | undefined;
  set(key: string, reserved: Reserved): unknown;
  delete(key: string): unknown;
}

/** The same file gives the same key after a reload; the browser tells no more about it than this. */
export function resumeKey(file: { name: string; size: number; lastModified: number }): string {
  return `${file.name}|${file.size}|${file.lastModified}`;
}

/** In the storage of the tab or browser, one listing's uploads under its own prefix. */
export function createResumeStore(
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  prefix: string,
): ResumeStore {
  const name = (key: string) => `localex.upload|${prefix}|${key}`;
  return {
    get(key) {
      const [id, url] = (storage.getItem(name(key)) ?? '').split(' ');
      return id && url ? { id, url } : undefined;
    },
    set(key, { id, url }) {
      try {
        storage.setItem(name(key), `${id} ${url}`);
      } catch {
        // A full or forbidden storage only costs the resuming.
      }
    },
    delete: (key) => storage.removeItem(name(key)),
  };
}
