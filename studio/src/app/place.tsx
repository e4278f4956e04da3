/** The page's last line: where it computes and with how many threads, and whether a graphics processor is faster. */
import { useState } from 'preact/hooks';
import { useBackend } from '../backend/backend.js';
import type { EngineChoice, EngineState } from '../backend/engineChoice.js';
import { usePending } from '../backend/useCall.js';
import { useEngines } from '../backend/useEngines.js';
import { SHELL_WORDS } from './shellWords.js';
import { useWords } from './words.js';

export function Place() {
  const t = useWords(SHELL_WORDS);
  const backend = useBackend();
  const [engines, state] = useEngines(false);
  const { value: place } = usePending(`place ${engines?.deviceFor('sentence')}`, () => backend.place());
  if (!place) return null;
  const where = place.kind === 'tab' ? t.inTab : t.onServer;
  const how = place.device === 'webgpu' ? t.webgpu : t.threads(place.threads);
  return (
    <div class="place">
      {where} · {how} · {t.nothingLeaves}
      {engines && 'gpu' in navigator && <Measured engines={engines} state={state} />}
    </div>
  );
}

/** Asked by the reader; Train asks by itself. */
function Measured({ engines, state }: { readonly engines: EngineChoice; readonly state: EngineState }) {
  const t = useWords(SHELL_WORDS);
  const [isAsked, setAsked] = useState(false);
  const { adapter, busy, measurement } = state;
  const measure = () => {
    setAsked(true);
    void engines.measure();
  };
  const said = () => {
    if (busy) return t.comparing;
    if (adapter === null) return isAsked ? t.noGpu : '';
    if (measurement?.webgpu && measurement.agrees)
      return t.compared(measurement.wasm.sentence, measurement.webgpu.sentence);
    return measurement || isAsked ? t.gpuFailed : '';
  };
  return (
    <>
      {' '}
      <span role="status">{said()}</span>{' '}
      {!busy && adapter !== null && (
        <button type="button" class="quiet" onClick={measure}>
          {measurement ? t.compareAgain : t.compare}
        </button>
      )}
    </>
  );
}
