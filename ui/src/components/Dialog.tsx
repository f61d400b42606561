/** A modal dialog on the browser's own `dialog`: focus stays inside, Esc closes. */

import { useEffect, useRef, type ReactNode } from "react";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
  bare?: boolean;
}

export function Dialog({ title, onClose, children, wide = false, bare = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} className={`${wide ? "wide" : ""} ${bare ? "bare" : ""}`} aria-label={title}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      onMouseDown={(event) => { if (event.target === ref.current) onClose(); }}>
      <div className="dialog-body">
        {!bare && (
          <header className="dialog-head">
            <h2>{title}</h2>
            <button type="button" className="icon" onClick={onClose} aria-label="Close">✕</button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
