import { type PointerEvent, type RefObject, useRef, useState, type WheelEvent } from 'react';

const NEAREST = 6;
const STEP = 2.5;
const SWIPE_PX = 60;
const DOUBLE_TAP_MS = 300;

interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}
const WHOLE: View = { scale: 1, x: 0, y: 0 };

export interface Zoom {
  readonly sheet: RefObject<HTMLDivElement | null>;
  readonly isNear: boolean;
  readonly closer: () => void;
  readonly away: () => void;
  readonly reset: () => void;
  readonly handlers: {
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: (event: PointerEvent) => void;
    onWheel: (event: WheelEvent) => void;
  };
}

/**
 * Pinch, double tap, wheel and drag on one element; a sideways swipe while the whole photo is shown
 * calls `onSwipe` with -1 or 1. The transform is written to the element directly: no render for each move.
 */
export function useZoom(onSwipe: (step: number) => void): Zoom {
  const sheet = useRef<HTMLDivElement>(null);
  const view = useRef(WHOLE);
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const press = useRef({ x: 0, y: 0, at: 0, lastTap: 0 });
  const [isNear, setNear] = useState(false);

  const set = (next: View) => {
    const scale = Math.max(1, Math.min(next.scale, NEAREST));
    const element = sheet.current;
    const limitX = ((element?.clientWidth ?? 0) * (scale - 1)) / 2;
    const limitY = ((element?.clientHeight ?? 0) * (scale - 1)) / 2;
    view.current = { scale, x: clamp(next.x, limitX), y: clamp(next.y, limitY) };
    if (element)
      element.style.transform = `translate(${view.current.x}px, ${view.current.y}px) scale(${scale})`;
    setNear(scale > 1);
  };
  /** Keeps the point under the finger where it is. */
  const zoomAt = (scale: number, clientX: number, clientY: number) => {
    const { innerWidth, innerHeight } = window;
    const ratio = Math.max(1, Math.min(scale, NEAREST)) / view.current.scale;
    const [px, py] = [clientX - innerWidth / 2, clientY - innerHeight / 2];
    set({ scale, x: px - (px - view.current.x) * ratio, y: py - (py - view.current.y) * ratio });
  };
  const zoomBy = (factor: number) => set({ ...view.current, scale: view.current.scale * factor });

  const onPointerDown = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    press.current = { ...press.current, x: event.clientX, y: event.clientY, at: event.timeStamp };
  };
  const onPointerMove = (event: PointerEvent) => {
    const before = fingers.current.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    fingers.current.set(event.pointerId, now);
    if (other) {
      const ratio = distance(now, other) / Math.max(1, distance(before, other));
      zoomAt(view.current.scale * ratio, (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else if (view.current.scale > 1) {
      set({ ...view.current, x: view.current.x + now.x - before.x, y: view.current.y + now.y - before.y });
    }
  };
  const onPointerUp = (event: PointerEvent) => {
    const alone = fingers.current.size === 1;
    fingers.current.delete(event.pointerId);
    if (!alone) return;
    const { x, y, lastTap } = press.current;
    const [dx, dy] = [event.clientX - x, event.clientY - y];
    if (view.current.scale === 1 && Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy) * 1.5)
      return onSwipe(dx < 0 ? 1 : -1);
    if (Math.hypot(dx, dy) > 10) return;
    const isDouble = event.timeStamp - lastTap < DOUBLE_TAP_MS;
    press.current.lastTap = isDouble ? 0 : event.timeStamp;
    if (isDouble) zoomAt(view.current.scale > 1 ? 1 : STEP, event.clientX, event.clientY);
  };
  return {
    sheet,
    isNear,
    closer: () => zoomBy(1.6),
    away: () => zoomBy(1 / 1.6),
    reset: () => set(WHOLE),
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: (event) => fingers.current.delete(event.pointerId),
      onWheel: (event) =>
        zoomAt(view.current.scale * Math.exp(-event.deltaY / 400), event.clientX, event.clientY),
    },
  };
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(value, limit));
}
function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
