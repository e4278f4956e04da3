/** Which engine trains in the tab, and why: the figures of both. */
import { useWords } from '../../app/words.js';
import type { EngineState } from '../../backend/engineChoice.js';
import { fasterEngine, type TabDevice } from '../../backend/engineMeasurement.js';
import { usableThreads } from '../../backend/threads.js';
import { useEngines } from '../../backend/useEngines.js';
import { milliseconds } from './numbers.js';
import { WORDS } from './words.js';

/** @param device  of the run that is shown; undefined before there is one */
export function EngineLine({ device }: { readonly device: TabDevice | undefined }) {
  const t = useWords(WORDS);
  const [, state] = useEngines();
  return <p class="train-note train-engine">{textOf(t, state, device)}</p>;
}

type Say = ReturnType<typeof useWords<(typeof WORDS)['en']>>;

function textOf(t: Say, state: EngineState, device: TabDevice | undefined): string {
  const { adapter, busy, measurement, isSaving } = state;
  const cpu = t.cpu(usableThreads());
  if (adapter === undefined) return t.runsOn(cpu);
  if (adapter === null) return t.noGpu(cpu);
  const gpu = t.gpu(adapter);
  if (busy === 'loading') return t.loadingGpu(cpu, gpu);
  if (busy === 'measuring') return t.measuringGpu(cpu, gpu);
  if (!measurement) return isSaving ? t.savingGpu(cpu, gpu) : t.unmeasuredGpu(cpu, gpu);
  if (!measurement.webgpu) return t.failedGpu(cpu, gpu);
  if (!measurement.agrees) return t.wrongGpu(cpu, gpu);
  const faster = fasterEngine(measurement, 'step');
  const own = device ?? faster;
  const [wasmMs, webgpuMs] = [measurement.wasm.step, measurement.webgpu.step].map(milliseconds);
  const said = own === 'wasm' ? t.faster(cpu, wasmMs, gpu, webgpuMs) : t.faster(gpu, webgpuMs, cpu, wasmMs);
  return own === faster ? said : `${said} ${t.asBegun}`;
}
