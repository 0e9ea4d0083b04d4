/** `ids` with one of them moved to another place; places outside are clamped. */
export function moveTo(ids: readonly string[], id: string, index: number): readonly string[] {
  const rest = ids.filter((each) => each !== id);
  if (rest.length === ids.length) return ids;
  const at = Math.max(0, Math.min(index, rest.length));
  return [...rest.slice(0, at), id, ...rest.slice(at)];
}

/**
 * The seller's order over the photos that are there now: those deleted meanwhile are left out, those
 * that are new follow at the end. Names every present photo once.
 */
export function mergeOrder(wanted: readonly string[], present: readonly string[]): readonly string[] {
  const kept = wanted.filter((id) => present.includes(id));
  return [...kept, ...present.filter((id) => !kept.includes(id))];
}

/** Of two views of a listing the later one: an answer that was long on its way undoes nothing that has been stored since. */
export function laterOf<T extends { readonly version: number }>(shown: T | undefined, arrived: T): T {
  return shown !== undefined && shown.version > arrived.version ? shown : arrived;
}

/** Where an arrow key takes a photo in a grid of so many columns; null for other keys. */
export function arrowTarget(key: string, index: number, columns: number): number | null {
  switch (key) {
    case 'ArrowLeft':
      return index - 1;
    case 'ArrowRight':
      return index + 1;
    case 'ArrowUp':
      return index - columns;
    case 'ArrowDown':
      return index + columns;
    case 'Home':
      return 0;
    case 'End':
      return Number.MAX_SAFE_INTEGER;
    default:
      return null;
  }
}
