import { describe, expect, it } from 'vitest';
import { EngineChoice, type EngineChoiceParts } from './engineChoice.js';
import type { EngineMeasurement } from './engineMeasurement.js';

/** WebGPU loses at sentences and wins at training. */
const MEASURED: EngineMeasurement = {
  wasm: { sentence: 2, step: 40 },
  webgpu: { sentence: 3, step: 10 },
  agrees: true,
};

function choice(given: Partial<EngineChoiceParts> & { measured?: EngineMeasurement } = {}) {
  const kept: { value?: string } = {};
  const did: string[] = [];
  const parts: EngineChoiceParts = {
    findAdapter: async () => 'a processor',
    build: '1 thread',
    isSaving: () => false,
    begin: () => {
      did.push('load');
      return {
        loaded: Promise.resolve(),
        measure: async () => {
          did.push('measure');
          return given.measured ?? MEASURED;
        },
        close: () => did.push('close'),
      };
    },
    recall: () => kept.value,
    remember: (value) => {
      kept.value = value;
    },
    ...given,
  };
  return { engines: new EngineChoice(parts), did, kept, parts };
}

describe('the choice between engines', () => {
  it('is WebAssembly until it is measured, then the faster one for each kind of work', async () => {
    const { engines, did } = choice();
    expect(engines.deviceFor('step')).toBe('wasm');
    await engines.measureOnce();
    expect(engines.state).toEqual({ adapter: 'a processor', measurement: MEASURED });
    expect([engines.deviceFor('sentence'), engines.deviceFor('step')]).toEqual(['wasm', 'webgpu']);
    expect(did).toEqual(['load', 'measure', 'close']);
  });

  it('loads nothing where there is no graphics processor, or where the connection saves data', async () => {
    const none = choice({ findAdapter: async () => undefined });
    await none.engines.measureOnce();
    await none.engines.measure();
    expect([none.engines.state.adapter, none.did]).toEqual([null, []]);

    const saving = choice({ isSaving: () => true });
    await saving.engines.measureOnce();
    expect(saving.did).toEqual([]);
    expect(saving.engines.state.isSaving).toBe(true);
    await saving.engines.measure();
    expect(saving.engines.deviceFor('step')).toBe('webgpu');
  });

  it('is remembered for the same processor and build alone', async () => {
    const { engines, kept, parts } = choice();
    await engines.measureOnce();
    const again = async (changes: Partial<EngineChoiceParts>) => {
      const later = choice({ ...parts, recall: () => kept.value, ...changes });
      await later.engines.recall();
      return later.engines.deviceFor('step');
    };
    expect(await again({})).toBe('webgpu');
    expect(await again({ build: '4 threads' })).toBe('wasm');
    expect(await again({ findAdapter: async () => 'another' })).toBe('wasm');
    for (const broken of ['', '{', 'null', '{"key":"a processor · 1 thread","measurement":{"wasm":{"step":-1}}}']) {
      expect(await again({ recall: () => broken }), broken).toBe('wasm');
    }
  });

  it('measures once unasked, and again when asked', async () => {
    const { engines, did } = choice();
    await engines.measureOnce();
    await engines.measureOnce();
    expect(did).toHaveLength(3);
    await Promise.all([engines.measure(), engines.measure()]);
    expect(did).toHaveLength(6);
  });

  it('takes no graphics processor that is wrong, that failed, or that fails in use', async () => {
    for (const measured of [
      { ...MEASURED, agrees: false },
      { wasm: MEASURED.wasm, agrees: false },
    ]) {
      const { engines } = choice({ measured });
      await engines.measureOnce();
      expect(engines.deviceFor('step')).toBe('wasm');
    }
    const { engines, kept, parts } = choice();
    await engines.measureOnce();
    engines.distrust();
    expect(engines.deviceFor('step')).toBe('wasm');
    const later = choice({ ...parts, recall: () => kept.value });
    await later.engines.measureOnce();
    expect([later.engines.deviceFor('step'), later.did]).toEqual(['wasm', []]);
  });

  it('lets what it silenced go on, and tries unasked no more, where the measurement did not come about', async () => {
    let isQuiet = false;
    const begin = () => ({
      loaded: Promise.resolve(),
      measure: () => Promise.reject(new Error('the worker ended')),
      close: () => {},
    });
    let begun = 0;
    const { engines, kept } = choice({
      begin: () => {
        begun++;
        return begin();
      },
    });
    engines.hushBefore(async () => {
      isQuiet = true;
      return () => {
        isQuiet = false;
      };
    });
    await engines.measureOnce();
    await engines.measureOnce();
    expect([isQuiet, begun, kept.value, engines.state.busy]).toEqual([false, 1, undefined, undefined]);
  });
});
