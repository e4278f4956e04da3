import { afterEach, describe, expect, test, vi } from 'vitest';
import { chooseEngine, type EngineChoiceOptions } from './chooseEngine.node.js';
import { engineProblems } from './engineNames.js';
import { oneDnnMissing } from './testEngines.js';

afterEach(() => vi.unstubAllEnvs());

async function choose(options: EngineChoiceOptions, ...processor: [] | [Parameters<typeof chooseEngine>[1]]) {
  const { engine, why, advice } = await chooseEngine({ threads: 1, ...options }, ...processor);
  await engine.close();
  return { name: engine.name, precision: engine.precision, why, advice };
}

describe('by itself', () => {
  test('onnxruntime computes where the library is not, and installing it is advised where that is known to help', async () => {
    vi.stubEnv('PLEIAD_ONEDNN', '/nowhere/libdnnl.so');
    const choice = await choose({}, 'amx');
    expect(choice.name).toBe('onnxruntime-node');
    expect(choice.why).toContain('PLEIAD_ONEDNN is /nowhere/libdnnl.so, which does not load');
    expect(choice.advice).toMatch(/would make training about 3 times as fast on this kind of processor \(with AMX\)$/);
  });

  test('onnxruntime computes on processors on which nobody has measured, and nothing is advised', async () => {
    const choice = await choose({}, 'other');
    expect(choice).toMatchObject({ name: 'onnxruntime-node', advice: undefined });
    expect(choice.why).toContain('has not been measured to be faster');
  });

  test.skipIf(oneDnnMissing)('onednn computes where it is installed and known to be faster', async () => {
    expect(await choose({ precision: 'fp32' }, 'avx512')).toMatchObject({ name: 'onednn', precision: 'fp32' });
  });
});

test('onnxruntime serves, unless another is asked for', async () => {
  expect(await choose({ purpose: 'serving' }, 'amx')).toMatchObject({ name: 'onnxruntime-node', advice: undefined });
});

describe('asked for', () => {
  test('onnxruntime computes, whatever is installed', async () => {
    expect(await choose({ engine: 'onnxruntime' }, 'amx')).toMatchObject({
      name: 'onnxruntime-node',
      precision: 'fp32',
    });
  });

  test('onednn that is not there is an error with advice', async () => {
    vi.stubEnv('PLEIAD_ONEDNN', '/nowhere/libdnnl.so');
    await expect(choose({ engine: 'onednn' })).rejects.toThrow(
      /engine "onednn": PLEIAD_ONEDNN is .*engine: "onnxruntime"/,
    );
    await expect(choose({ precision: 'bf16' })).rejects.toThrow('engine "onednn"');
  });

  test.skipIf(oneDnnMissing)('onednn computes in the precision that is asked for, on any processor', async () => {
    expect(await choose({ engine: 'onednn', precision: 'bf16' }, 'other')).toMatchObject({ precision: 'bf16' });
    expect(await choose({ precision: 'bf16' }, 'other')).toMatchObject({ name: 'onednn', precision: 'bf16' });
  });

  test('what does not go together is refused', async () => {
    expect(engineProblems({ engine: 'onednn', device: 'cuda' })).toEqual([
      'engine "onednn" computes on the CPU, device is "cuda"; leave one of them out',
    ]);
    expect(engineProblems({ engine: 'onnxruntime', precision: 'bf16' })).toHaveLength(1);
    expect(engineProblems({ device: 'webgpu', precision: 'bf16' })).toHaveLength(1);
    expect(engineProblems({ engine: 'onednn', precision: 'bf16' })).toEqual([]);
    await expect(choose({ engine: 'onnxruntime', precision: 'bf16' })).rejects.toThrow('needs engine "onednn"');
  });
});
