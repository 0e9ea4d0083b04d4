import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';

/** User agents that were looked at lately: browsers share a few thousand. */
const known = new LRUCache<string, boolean>({ max: 5_000 });

/** Whether a viewer says by its user agent that it is a program: crawlers, previews, monitors. One that says nothing is a person. */
export function isRobot(userAgent: string | undefined): boolean {
  if (userAgent === undefined || userAgent === '') return false;
  const before = known.get(userAgent);
  if (before !== undefined) return before;
  const answer = isbot(userAgent);
  known.set(userAgent, answer);
  return answer;
}
