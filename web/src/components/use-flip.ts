import { type RefObject, useLayoutEffect, useRef } from 'react';

interface Place {
  readonly left: number;
  readonly top: number;
}

/**
 * Lets the children of a grid glide to their new places when `order` changes (first, last, invert, play).
 * Places are measured inside the grid, so that scrolling and what is above do not count. Does nothing
 * where people asked for less motion.
 */
export function useFlip(grid: RefObject<HTMLElement | null>, order: string): void {
  const before = useRef(new Map<Element, Place>());
  useLayoutEffect(() => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const places = new Map<Element, Place>();
    for (const child of grid.current?.querySelectorAll<HTMLElement>(':scope > li') ?? []) {
      const now = { left: child.offsetLeft, top: child.offsetTop };
      const then = before.current.get(child);
      places.set(child, now);
      if (calm || !then || (then.left === now.left && then.top === now.top)) continue;
      const shift = `translate(${then.left - now.left}px, ${then.top - now.top}px)`;
      child.animate([{ transform: shift }, { transform: 'none' }], { duration: 180, easing: 'ease-out' });
    }
    before.current = places;
  }, [grid, order]);
}
