/** The joint step in the engine itself, gradients written in place, against PyTorch + transformers: ≤ 1e-4 relative. */
import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../src/engine/onnxruntime/nodeEngine.js';
import { createObjective } from '../src/objectives/electra.js';
import { GOLDEN_NAMES, readGolden, relativeError } from './goldenFiles.js';

describe.each(GOLDEN_NAMES)('%s in onnxruntime-node', (name) => {
  it.each([false, true])('losses and every gradient (accumulating: %s)', async (accumulate) => {
    const golden = readGolden(name);
    const objective = createObjective(golden.config('electra'));
    const [phase] = objective.phases;
    let offset = 0;
    const slots = new Map<string, { arena: string; offset: number; shape: readonly number[] }>();
    for (const { name: parameter, shape } of objective.parameters) {
      slots.set(parameter, { arena: 'parameters', offset, shape });
      slots.set(`gradient:${parameter}`, { arena: 'gradients', offset, shape });
      offset += shape.reduce((a, b) => a * b, 1);
    }
    const engine = await createNodeEngine({ threads: 2 });
    try {
      const state = await engine.createState({ arenas: { parameters: offset, gradients: offset }, slots });
      for (const { name: parameter } of objective.parameters) {
        const { data } = golden.tensors.get(parameter)!;
        await state.write('parameters', data as Float32Array, slots.get(parameter)!.offset);
      }
      const program = await engine.compile(phase.trainingGraph({ accumulate }), { label: 'golden', state });
      const counts = phase.counts(golden.batch);
      const feeds = phase.feeds(golden.batch, { seed: 0, step: 0, index: 0 }, counts);
      feeds.uniforms = { ...feeds.uniforms, data: golden.uniforms };
      const runs = 2;
      let outputs = await program.run(feeds);
      for (let i = 1; i < runs; i++) outputs = await program.run(feeds);
      const { electra } = golden.json.losses;
      expect(Math.abs(outputs.mlmLossSum.data[0] / counts.mlm! / electra.mlmLoss - 1)).toBeLessThan(1e-4);
      expect(Math.abs(outputs.discLossSum.data[0] / counts.disc! / electra.discLoss - 1)).toBeLessThan(1e-4);
      for (const { name: parameter, shape } of objective.parameters) {
        const { offset: start } = slots.get(parameter)!;
        const size = shape.reduce((a, b) => a * b, 1);
        const found = await state.read('gradients', start, start + size);
        const factor = accumulate ? runs : 1;
        const expected = golden.tensors.get(`gradient.${parameter}`)!.data.map((value) => value * factor);
        expect(relativeError(found, expected), parameter).toBeLessThan(1e-4);
      }
    } finally {
      await engine.close();
    }
  });
});
