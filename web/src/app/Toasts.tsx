import './toasts.css';
import { IconX } from '@tabler/icons-react';
import { useEffect, useSyncExternalStore } from 'react';
import { getToasts, hideToast, subscribeToasts, type Toast } from './toast-store.ts';

/** The messages of `showToast`, read out politely, newest at the bottom. */
export function Toasts() {
  const toasts = useSyncExternalStore(subscribeToasts, getToasts);
  return (
    <section className="toasts" aria-label="Messages" role="status">
      {toasts.map((toast) => (
        <ToastView key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function ToastView({ toast }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => hideToast(toast.id), toast.ms);
    return () => clearTimeout(timer);
  }, [toast]);
  const { action } = toast;
  return (
    <div className={`toast toast--${toast.tone}`}>
      <span className="toast__text">{toast.text}</span>
      {action && (
        <button
          type="button"
          className="toast__action"
          onClick={() => {
            action.run();
            hideToast(toast.id);
          }}
        >
          {action.label}
        </button>
      )}
      <button
        type="button"
        className="toast__close"
        aria-label="Close message"
        onClick={() => hideToast(toast.id)}
      >
        <IconX size={18} aria-hidden />
      </button>
    </div>
  );
}
