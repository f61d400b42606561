/** All keys the page answers to now. */

import { Dialog } from "../components/Dialog";
import { useKeyHelp } from "./keys";

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const layers = useKeyHelp().filter((layer) => layer.keys.length);
  return (
    <Dialog title="Keys of this page" onClose={onClose} wide>
      <div className="key-help">
        {[...layers].reverse().map((layer, place) => (
          <section key={place}>
            <h3>{layer.title}</h3>
            <dl>
              {layer.keys.map((key) => (
                <div key={key.key}><dt><kbd>{key.key.replace("Ctrl+", "Ctrl ").replace("Arrow", "")}</kbd></dt><dd>{key.what}</dd></div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
