/** What was measured of the two engines of a tab, and which of them is taken for what. Plain data, so that it can be kept. */

export type TabDevice = 'wasm' | 'webgpu';

/** What engines do in a tab; either may be the faster one for one of these and the slower for the other. */
export type EngineWork = 'sentence' | 'step';

/** Milliseconds, medians: of one sentence through a small encoder, and of one step of training as the screen Train takes it. */
export type EngineTimes = Readonly<Record<EngineWork, number>>;

export interface EngineMeasurement {
  readonly wasm: EngineTimes;
  /** Undefined where the graphics processor failed. */
  readonly webgpu?: EngineTimes;
  /** Whether both found the same values and losses. */
  readonly agrees: boolean;
}

/** The faster one; never a graphics processor that failed, or that computes something else. */
export function fasterEngine(measurement: EngineMeasurement | undefined, work: EngineWork): TabDevice {
  if (!measurement?.webgpu || !measurement.agrees) return 'wasm';
  return measurement.webgpu[work] < measurement.wasm[work] ? 'webgpu' : 'wasm';
}

/** Undefined for anything that is no measurement: what a browser kept may be of an older page. */
export function parseMeasurement(value: unknown): EngineMeasurement | undefined {
  const { wasm, webgpu, agrees } = (value ?? {}) as Record<string, unknown>;
  if (!areTimes(wasm) || typeof agrees !== 'boolean') return undefined;
  if (webgpu !== undefined && !areTimes(webgpu)) return undefined;
  return { wasm, ...(webgpu && { webgpu }), agrees };
}

function areTimes(value: unknown): value is EngineTimes {
  const { sentence, step } = (value ?? {}) as Record<string, unknown>;
  return [sentence, step].every((ms) => typeof ms === 'number' && ms > 0 && Number.isFinite(ms));
}
