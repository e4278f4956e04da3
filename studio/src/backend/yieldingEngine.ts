/** An engine in a worker that hears messages between its runs. */
import type { Engine, Program } from '../../../src/engine/engine.js';

/**
 * Lets messages in before each run: WebAssembly computes at once, within the call, and a worker would hear of a cancelled
 * request only when all of its work is done.
 */
export function yielding(engine: Engine): Engine {
  return {
    name: engine.name,
    description: engine.description,
    precision: engine.precision,
    threads: engine.threads,
    createState: (layout) => engine.createState(layout),
    compile: async (graph, options) => yieldingProgram(await engine.compile(graph, options)),
    close: () => engine.close(),
  };
}

function yieldingProgram(program: Program): Program {
  return {
    async run(feeds) {
      await nextTask();
      return program.run(feeds);
    },
    async runOverArenas(ranges, chunk) {
      await nextTask();
      return program.runOverArenas(ranges, chunk);
    },
    release: () => program.release(),
  };
}

/** After the messages that wait; a timer would be held back to four milliseconds. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
