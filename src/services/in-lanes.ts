/**
 * Does `work` with every item, at most `lanes` at one time, in their order. A failure keeps what has not begun from beginning,
 * and is passed on once nothing is at work any more. Errors: those of `work`; of several the first lane's.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const lane = async () => {
    try {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(lanes, waiting.length) }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
