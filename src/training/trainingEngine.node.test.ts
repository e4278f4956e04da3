import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EngineIdentity } from '../engine/engineIdentity.js';
import type { EngineWish } from '../engine/engineNames.js';
import { oneDnnMissing } from '../engine/testEngines.js';
import { startTrainingEngine } from './trainingEngine.node.js';

afterEach(() => vi.unstubAllEnvs());

async function resume(begun: EngineIdentity | undefined, wish: EngineWish = {}) {
  const { engine, notices } = await startTrainingEngine({ threads: 1, ...wish }, { begun: { engine: begun } });
  await engine.close();
  return { name: engine.name, precision: engine.precision, notices };
}

describe('a resumed run', () => {
  test('that was begun before there was a choice stays on onnxruntime', async () => {
    expect(await resume(undefined)).toMatchObject({ name: 'onnxruntime-node', notices: [] });
  });

  test('whose engine is another now is told that its bits will differ', async () => {
    const { notices } = await resume({ name: 'onednn', precision: 'bf16', threads: 1 }, { engine: 'onnxruntime' });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({
      code: 'engine-changed',
      message: 'The run was begun on onednn in bf16 with 1 thread and goes on on onnxruntime-node in fp32',
    });
  });

  test('that WebAssembly began, for want of another engine, goes on on what is installed now, and says so', async () => {
    vi.stubEnv('PLEIAD_ONEDNN', '/nowhere/libdnnl.so');
    const { name, notices } = await resume({ name: 'onnxruntime-web', precision: 'fp32' });
    expect(name).toBe('onnxruntime-node');
    expect(notices.at(-1)).toMatchObject({
      code: 'engine-changed',
      message: 'The run was begun on onnxruntime-web in fp32 and goes on on onnxruntime-node in fp32',
    });
  });

  test.skipIf(oneDnnMissing)('stays on the engine and in the precision that it was begun with', async () => {
    for (const precision of ['fp32', 'bf16'] as const) {
      const same = await resume({ name: 'onednn', precision, threads: 1 });
      expect(same).toMatchObject({ name: 'onednn', precision, notices: [] });
    }
  });

  test.skipIf(oneDnnMissing)('on onednn with other threads is told that its bits will differ', async () => {
    const { notices } = await resume({ name: 'onednn', precision: 'fp32', threads: 2 });
    expect(notices.map(({ code }) => code)).toEqual(['engine-changed']);
  });
});
