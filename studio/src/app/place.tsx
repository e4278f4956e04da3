/** The page's last line: where it computes and with how many threads, and whether a graphics processor would be faster. */
import { useState } from 'preact/hooks';
import { type ComputePlace, useBackend } from '../backend/backend.js';
import { usePending } from '../backend/useCall.js';
import { SHELL_WORDS } from './shellWords.js';
import { useWords } from './words.js';

export function Place() {
  const t = useWords(SHELL_WORDS);
  const backend = useBackend();
  const [measurements, count] = useState(0);
  const { value: place } = usePending(`place ${measurements}`, () => backend.place());
  if (!place) return null;
  const where = place.kind === 'tab' ? t.inTab : t.onServer;
  const how = place.device === 'webgpu' ? t.webgpu : t.threads(place.threads);
  return (
    <div class="place">
      {where} · {how} · {t.nothingLeaves}
      {mayCompare(place) && <Compare measured={() => count(measurements + 1)} />}
    </div>
  );
}

/** Only the reader decides that the 27 MB of another engine are fetched. */
function mayCompare({ kind, device }: ComputePlace): boolean {
  return kind === 'tab' && device === 'wasm' && 'gpu' in navigator;
}

function Compare({ measured }: { measured(): void }) {
  const t = useWords(SHELL_WORDS);
  const backend = useBackend();
  const [state, setState] = useState<string>();
  const compare = async () => {
    setState(t.comparing);
    const found = await backend.compare?.().catch(() => undefined);
    setState(found ? t.compared(found.wasmMs, found.webgpuMs) : t.noGpu);
    measured();
  };
  return (
    <span role="status">
      {state === undefined ? (
        <button type="button" class="quiet" onClick={compare}>
          {t.compare}
        </button>
      ) : (
        ` ${state}`
      )}
    </span>
  );
}
