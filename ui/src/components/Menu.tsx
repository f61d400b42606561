/** A button that opens a small panel; closes by Esc, by a click elsewhere, and after a choice. */

import { useEffect, useRef, useState, type ReactNode } from "react";

export function Menu({ label, children, end = false, title }: { label: ReactNode; children: ReactNode; end?: boolean; title?: string }) {
  const [open, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: MouseEvent) => { if (!ref.current?.contains(event.target as Node)) setOpen(false); };
    const escape = (event: KeyboardEvent) => { if (event.key === "Escape") setOpen(false); };
    document.addEventListener("mousedown", outside);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("mousedown", outside);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);
  return (
    <div className="menu" ref={ref}>
      <button type="button" aria-expanded={open} title={title} onClick={() => setOpen(!open)}>{label} <span aria-hidden="true" className="caret">▾</span></button>
      {open && (
        <div className={`menu-panel ${end ? "end" : ""}`} onClick={(event) => { if ((event.target as HTMLElement).closest("a,.item")) setOpen(false); }}>
          {children}
        </div>
      )}
    </div>
  );
}
