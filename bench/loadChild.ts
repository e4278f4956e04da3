/** One load in a process of its own, so that its peak memory is its own: `node loadChild.js SIZE FILE open|load|run`. */
import { planLoad } from '../src/checkpoint/loadPlan.js';
import { runLoadPlan } from '../src/checkpoint/loadTensors.js';
import { expectedTensors } from '../src/checkpoint/modelFolder.js';
import { openTensors } from '../src/checkpoint/openTensors.node.js';
import type { SizeName } from '../src/models/config.js';
import { fromPretrained } from '../src/pretrained/pretrained.node.js';
import { largeModel } from './load.js';
import { peakMemoryMiB } from './report.js';

const [size, path, work] = process.argv.slice(2);
const model = largeModel(size as SizeName);
/** Kept to the end, as a user would. */
const tensors = new Map<string, Float32Array>();
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const numTensors = await (work === 'run' ? loadAndRun() : loadAlone());
const { user, system } = process.cpuUsage(startedCpu);
const ms = performance.now() - startedAt;
const result = { ms, cpuMs: (user + system) / 1000, peakMemoryMiB: peakMemoryMiB(), tensors: numTensors };
// The engine is left open: ending it is no part of what is measured.
process.stdout.write(JSON.stringify(result), () => process.exit());

async function loadAlone(): Promise<number> {
  const source = await openTensors(path);
  const target = { name: model.architecture, prefix: 'electra' as const, tensors: expectedTensors(model) };
  const plan = planLoad(source.tensors, target, source.name, source.otherEntries);
  if (work === 'load') {
    const { missing, unused } = await runLoadPlan(source, plan, (name, { data }) => void tensors.set(name, data));
    if (missing.length + unused.length > 0) throw new Error(`${missing.length} missing, ${unused.length} unused`);
  }
  await source.close();
  return tensors.size;
}

/** With the config.json beside the file. */
async function loadAndRun(): Promise<number> {
  const loaded = await fromPretrained(path, { engine: 'onnxruntime', threads: 2 });
  await loaded.run({ inputIds: [Int32Array.from({ length: 128 }, (_, i) => 1000 + i)] });
  return loaded.tensors.size;
}
