/** One load in a process of its own, so that its peak memory is its own: `node loadChild.js SIZE FILE open|load`. */
import { planLoad } from '../src/checkpoint/loadPlan.js';
import { runLoadPlan } from '../src/checkpoint/loadTensors.js';
import { expectedTensors } from '../src/checkpoint/modelFolder.js';
import { openTensors } from '../src/checkpoint/openTensorsNode.js';
import type { SizeName } from '../src/models/config.js';
import { largeModel } from './load.js';
import { peakMemoryMiB } from './report.js';

const [size, path, work] = process.argv.slice(2);
const model = largeModel(size as SizeName);
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const source = await openTensors(path);
const target = { name: model.architecture, prefix: 'electra' as const, tensors: expectedTensors(model) };
const plan = planLoad(source.tensors, target, source.name, source.otherEntries);
const tensors = new Map<string, Float32Array>();
if (work === 'load') {
  const { missing, unused } = await runLoadPlan(source, plan, (name, { data }) => void tensors.set(name, data));
  if (missing.length + unused.length > 0) throw new Error(`${missing.length} missing, ${unused.length} unused`);
}
await source.close();
const { user, system } = process.cpuUsage(startedCpu);
const ms = performance.now() - startedAt;
const result = { ms, cpuMs: (user + system) / 1000, peakMemoryMiB: peakMemoryMiB(), tensors: tensors.size };
process.stdout.write(JSON.stringify(result));
