/** A short message at the bottom of the page. */
export interface Toast {
  readonly id: string;
  readonly text: string;
  readonly tone: 'plain' | 'bad';
  readonly action: { readonly label: string; run(): void } | null;
  readonly ms: number;
}

const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let count = 0;

export function getToasts(): readonly Toast[] {
  return toasts;
}

export function subscribeToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function showToast(text: string, options: Partial<Omit<Toast, 'id' | 'text'>> = {}): void {
  count += 1;
  const toast: Toast = { id: `toast-${count}`, text, tone: 'plain', action: null, ms: 6_000, ...options };
  set([...toasts.slice(-2), toast]);
}

export function hideToast(id: string): void {
  set(toasts.filter((toast) => toast.id !== id));
}

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}
