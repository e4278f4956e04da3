/** Every driver, for tests that hold them all against the same facts. */
import { inMemory } from '../files/storedValues.js';
import type { Engine, EngineState } from './engine.js';
import { createOneDnnEngine } from './onednn/engine.node.js';
import { loadOneDnn } from './onednn/library/load.node.js';
import { OneDnnProgram, Runtime } from './onednn/program.js';
import { OneDnnArenas } from './onednn/state.js';
import { createNodeEngine } from './onnxruntime/nodeEngine.node.js';
import { createWebEngine } from './onnxruntime/webEngine.js';

const library = loadOneDnn();

/** Why oneDNN cannot be tested here; undefined where it can. */
export const oneDnnMissing = 'missing' in library ? library.missing : undefined;
if (oneDnnMissing) console.log(`tests of the engine "onednn" are skipped: ${oneDnnMissing}`);

/** The plans of the oneDNN driver, computed in the calling thread by its loops of TypeScript, without the library. */
export function createLoopEngine(): Engine {
  const runtime = new Runtime(undefined, 'fp32', (warning) => {
    throw new Error(`a warning without a library: ${warning}`);
  });
  const arenasOf = (state?: EngineState) => (state as LoopState | undefined)?.arenas;
  return {
    name: 'onednn plans in TypeScript',
    description: 'onednn plans in TypeScript',
    createState: async (layout) => new LoopState(new OneDnnArenas(layout, runtime.addressOf)),
    async compile(graph, { label, state, weights: values, profile }) {
      const weights = values && new Map([...values].map(([name, each]) => [name, inMemory(each)]));
      const program = new OneDnnProgram(runtime, { label, graph, weights }, arenasOf(state), profile);
      return {
        run: async (feeds) => program.run(feeds),
        runOverArenas: (ranges, chunk) => program.runOverArenas(ranges, chunk),
        release: async () => program.release(),
      };
    },
    close: async () => {},
  };
}

class LoopState implements EngineState {
  constructor(readonly arenas: OneDnnArenas) {}
  get layout() {
    return this.arenas.layout;
  }
  async read(arena: string, start?: number, end?: number, into?: Float32Array): Promise<Float32Array> {
    const values = this.arenas.range(arena, start, end);
    if (!into) return values.slice();
    into.set(values);
    return into;
  }
  async write(arena: string, data: Float32Array, start?: number): Promise<void> {
    this.arenas.write(arena, data, start);
  }
  async release(): Promise<void> {}
}

/** Name and maker of every driver that can run here. */
export const ENGINES: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['onnxruntime-node', () => createNodeEngine({ threads: 2 })],
  ['onnxruntime-web', () => createWebEngine()],
  ['onednn plans in TypeScript', async () => createLoopEngine()],
  ...(oneDnnMissing
    ? []
    : [['onednn', () => createOneDnnEngine({ threads: 2, precision: 'fp32', onWarning: failOnWarning })] as const]),
];

function failOnWarning(warning: string): never {
  throw new Error(`onednn warned: ${warning}`);
}
