/** Lets so many in at a time; the others wait in the order in which they came. */
export interface Gate {
  /** Resolves to what gives the place back; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export function createGate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const once = (run: () => void) => {
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      run();
    };
  };
  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return once(leave);
      }
      return new Promise((resolve, reject) => {
        const giveUp = () => {
          waiting.splice(waiting.indexOf(takeTurn), 1);
          reject(signal.reason);
        };
        const takeTurn = () => {
          signal.removeEventListener('abort', giveUp);
          resolve(once(leave));
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(takeTurn);
      });
    },
  };
}
