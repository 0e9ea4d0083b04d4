import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { arrowTarget, moveTo } from '../upload/photo-order.ts';

/** How far a mouse moves before pressing a photo becomes dragging it. */
const DRAG_THRESHOLD_PX = 6;

export interface Reorder {
  /** Ids in the order to show. */
  readonly order: readonly string[];
  readonly grabbed: string | null;
  /** What a screen reader should say now. */
  readonly announcement: string;
  readonly handleKeyDown: (id: string, event: KeyboardEvent) => void;
  /** Starts dragging at once from the handle, or after some way from the photo itself (mouse only). */
  readonly startDrag: (id: string, event: PointerEvent, from: 'handle' | 'photo') => void;
}

interface Grab {
  readonly id: string;
  readonly by: 'keyboard' | 'pointer';
  readonly order: readonly string[];
}

/**
 * Moves photos in a grid. Keyboard: space or Enter takes and drops, arrows move, Escape puts back.
 * Pointer: drag. `onDrop` gets the new order once, when it has changed. Every `[data-photo]` in `grid` is a place.
 */
export function useReorder(
  ids: readonly string[],
  grid: RefObject<HTMLElement | null>,
  onDrop: (order: readonly string[]) => void,
): Reorder {
  const [grab, setGrab] = useState<Grab | null>(null);
  const [announcement, setAnnouncement] = useState('');
  const stopDrag = useRef<() => void>(() => {});
  // A photo may vanish while it is held: then there is nothing to move any more.
  const held = grab !== null && ids.includes(grab.id) ? grab : null;
  const order =
    held === null
      ? ids
      : held.order.filter((id) => ids.includes(id)).concat(ids.filter((id) => !held.order.includes(id)));

  const say = (id: string, list: readonly string[], verb: string) =>
    setAnnouncement(`Photo ${verb}. Place ${list.indexOf(id) + 1} of ${list.length}.`);

  const drop = (last: Grab) => {
    setGrab(null);
    say(last.id, last.order, 'dropped');
    if (last.order.join() !== ids.join()) onDrop(last.order);
  };
  const cancel = (id: string) => {
    setGrab(null);
    say(id, ids, 'put back');
  };

  // React may move the button in the document: keep the focus on it.
  useLayoutEffect(() => {
    if (held?.by === 'keyboard')
      grid.current?.querySelector<HTMLElement>(`[data-photo="${held.id}"] [data-handle]`)?.focus();
  }, [held, grid]);
  useEffect(() => () => stopDrag.current(), []);

  const handleKeyDown = (id: string, event: KeyboardEvent) => {
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      if (held !== null) drop({ ...held, order });
      else {
        setGrab({ id, by: 'keyboard', order: ids });
        say(id, ids, 'taken. Arrows move it, space drops it, Escape puts it back');
      }
      return;
    }
    if (held === null) return;
    if (event.key === 'Escape' || event.key === 'Tab') return cancel(id);
    const target = arrowTarget(event.key, order.indexOf(id), columnsOf(grid.current));
    if (target === null) return;
    event.preventDefault();
    const moved = moveTo(order, id, target);
    setGrab({ ...held, order: moved });
    say(id, moved, 'moved');
  };

  const startDrag: Reorder['startDrag'] = (id, event, from) => {
    if (event.button !== 0 || (from === 'photo' && event.pointerType !== 'mouse')) return;
    if (event.target instanceof Element && from === 'photo' && event.target.closest('button')) return;
    event.preventDefault();
    const start = { x: event.clientX, y: event.clientY };
    let latest: Grab | null = from === 'handle' ? { id, by: 'pointer', order: ids } : null;
    setGrab(latest);
    const move = (at: globalThis.PointerEvent) => {
      if (latest === null && Math.hypot(at.clientX - start.x, at.clientY - start.y) < DRAG_THRESHOLD_PX)
        return;
      latest ??= { id, by: 'pointer', order: ids };
      const over = photoAt(at.clientX, at.clientY);
      if (over !== null && over !== id)
        latest = { ...latest, order: moveTo(latest.order, id, latest.order.indexOf(over)) };
      setGrab(latest);
    };
    const finish = (isDone: boolean) => {
      stopDrag.current();
      if (latest === null) return;
      if (isDone) drop(latest);
      else cancel(id);
    };
    const controller = new AbortController();
    const options = { signal: controller.signal };
    stopDrag.current = () => controller.abort();
    addEventListener('pointermove', move, options);
    addEventListener('pointerup', () => finish(true), options);
    addEventListener('pointercancel', () => finish(false), options);
    addEventListener('keydown', (key) => key.key === 'Escape' && finish(false), options);
  };

  return { order, grabbed: held?.id ?? null, announcement, handleKeyDown, startDrag };
}

function photoAt(x: number, y: number): string | null {
  const place = document.elementsFromPoint(x, y).find((element) => element.closest('[data-photo]'));
  return place?.closest<HTMLElement>('[data-photo]')?.dataset['photo'] ?? null;
}

function columnsOf(grid: HTMLElement | null): number {
  return grid === null ? 1 : getComputedStyle(grid).gridTemplateColumns.split(' ').length;
}
