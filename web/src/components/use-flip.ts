import { type RefObject, useLayoutEffect, useRef } from 'react';

/**
 * Lets the `[data-photo]` children of a grid glide to their new places when `order` changes
 * (first, last, invert, play). Does nothing where people asked for less motion.
 */
export function useFlip(grid: RefObject<HTMLElement | null>, order: string): void {
  const before = useRef(new Map<string, DOMRect>());
  useLayoutEffect(() => {
    const after = new Map<string, DOMRect>();
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const place of grid.current?.querySelectorAll<HTMLElement>('[data-photo]') ?? []) {
      const id = place.dataset['photo'] ?? '';
      const now = place.getBoundingClientRect();
      const then = before.current.get(id);
      after.set(id, now);
      if (calm || !then || (then.left === now.left && then.top === now.top)) continue;
      const shift = `translate(${then.left - now.left}px, ${then.top - now.top}px)`;
      place.animate([{ transform: shift }, { transform: 'none' }], { duration: 180, easing: 'ease-out' });
    }
    before.current = after;
  }, [grid, order]);
}
