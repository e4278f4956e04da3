/** How much memory a model takes beside its weights, from its file to its first result. */

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encoderConfigToJson, expectedTensors } from '../checkpoint/modelFolder.js';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { workerUrl } from '../files/workerUrl.js';
import { encodeSafetensorsHeader } from '../formats/safetensors.js';
import { elementCount } from '../graph/dimensions.js';
import { encoderConfig } from '../models/config.js';

const temporary = temporaryFolder('memory');
afterAll(() => temporary.remove());

/** ELECTRA-base's discriminator with half of its layers: 67 M parameters. */
const config = { ...encoderConfig('base', 30522), numHiddenLayers: 6 };
const model = { config, architecture: 'ElectraForPreTraining' } as const;
const tensors = [...expectedTensors(model)].map(([name, shape]) => ({ name, shape, dtype: 'F32' as const }));
const weightsMiB = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) / 2 ** 18;

/** No two tensors are alike: of those the runtime would keep one. */
function writeModel(folder: string): void {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(encoderConfigToJson(model)));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, encodeSafetensorsHeader(tensors, { format: 'pt' }));
  for (const [index, { shape }] of tensors.entries()) {
    const values = new Float32Array(elementCount(shape));
    for (let i = 0; i < values.length; i++) values[i] = (((i + 1) * (index + 3)) % 8191) / 1e6;
    writeSync(file, values);
  }
  closeSync(file);
}

/** Peak memory of a process that loads the model and runs 128 tokens, less what it took before. */
function peakMiB(folder: string, keep: 'file' | 'memory'): number {
  const script = `
    const { fromPretrained } = await import(${JSON.stringify(workerUrl('./pretrained.node.js', import.meta.url).href)});
    const peak = () => process.resourceUsage().maxRSS / 1024;
    const before = peak();
    const model = await fromPretrained(${JSON.stringify(folder)}, { engine: 'onnxruntime', threads: 1, keep: '${keep}' });
    const { logits } = await model.run({ inputIds: [new Int32Array(128).fill(7)] });
    if (logits.data.length !== 128) throw new Error('no result');
    process.stdout.write(String(peak() - before), () => process.exit());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

// Measured: 0.85 (few rows of the word table are touched) and 2.5, each ±0.02.
test('weights in a file are in memory once, those that were read less than three times', { timeout: 60_000 }, () => {
  writeModel(temporary.path);
  expect(weightsMiB).toBeGreaterThan(250);
  expect(peakMiB(temporary.path, 'file') / weightsMiB).toBeLessThan(1.2);
  expect(peakMiB(temporary.path, 'memory') / weightsMiB).toBeLessThan(3);
});
