/** Which engine computes in Node: the one that is asked for, or by itself the one that is there and faster. */

import { settingWith } from '../settings/settingNames.js';
import type { Engine } from './engine.js';
import { EngineError } from './engineError.js';
import { type EngineWish, engineProblems } from './engineNames.js';
import { createOneDnnEngine, OneDnnMissing } from './onednn/engine.node.js';
import { describeProcessor, type ProcessorKind, thisProcessor, timesAsFast } from './onednn/processor.node.js';
import { INSTALL_RUNTIME, OnnxRuntimeMissing } from './onnxruntime/loadRuntime.node.js';
import { createNodeEngine } from './onnxruntime/nodeEngine.node.js';
import { createWebEngine, WEB_ENGINE } from './onnxruntime/webEngine.js';

export interface EngineChoiceOptions extends EngineWish {
  /**
   * What it is for; default training. `serving` runs texts as they come, in many sizes, for each of which oneDNN plans
   * anew (50 to 200 ms); with `auto`, onnxruntime serves.
   */
  readonly purpose?: 'training' | 'serving';
  /** Has every program take a profile. */
  readonly profile?: boolean;
  /** Told what the user should know of the engine's work, once each; by default a warning of the process. */
  readonly onWarning?: (warning: string) => void;
}

export interface EngineChoice {
  readonly engine: Engine;
  /** Why it is this one, as what follows "because". */
  readonly why: string;
  /** What would make it faster, a full sentence; undefined where nothing is known to. */
  readonly advice?: string;
}

/**
 * Starts an engine.
 * @throws EngineError when what is asked for is not there, or contradicts itself
 */
export async function chooseEngine(
  options: EngineChoiceOptions = {},
  processor = thisProcessor(),
): Promise<EngineChoice> {
  const [problem] = engineProblems(options);
  if (problem) throw new EngineError(problem, { subject: 'engine' });
  const { engine = 'auto', device = 'cpu', precision = 'auto', purpose = 'training' } = options;
  const native = async (why: string, advice?: string): Promise<EngineChoice> => ({
    engine: await createNodeEngine(options),
    why,
    advice,
  });
  if (engine === 'onnxruntime') return native('it was asked for');
  if (device !== 'cpu') return native(`it computes on device "${device}"`);
  const onnxruntime = (why: string, advice?: string) =>
    native(why, advice).catch((error) => {
      if (error instanceof OnnxRuntimeMissing) return webAssembly(error);
      throw error;
    });
  if (engine === 'onednn') return { engine: await createOneDnnEngine(options), why: 'it was asked for' };
  if (precision === 'bf16') return { engine: await createOneDnnEngine(options), why: 'it has bf16' };
  if (purpose === 'serving') return onnxruntime('texts of many lengths come, for each of which oneDNN would plan anew');
  const times = timesAsFast(processor);
  if (times === undefined) {
    return onnxruntime(
      `oneDNN has not been measured to be faster on this kind of processor (${settingWith('engine', 'onednn')} tries it)`,
    );
  }
  try {
    const fast = await createOneDnnEngine(options);
    return {
      engine: fast,
      why: `it is installed and faster on this kind of processor (${describeProcessor(processor)})`,
    };
  } catch (error) {
    if (!(error instanceof OneDnnMissing)) throw error;
    return onnxruntime(`oneDNN is not there: ${error.reason}`, installAdvice(processor, times));
  }
}

/**
 * What always loads: for a project that has not added onnxruntime-node, and for machines that it is not built for. One
 * thread, since two took longer under Node.
 */
async function webAssembly({ reason }: OnnxRuntimeMissing): Promise<EngineChoice> {
  return {
    engine: await createWebEngine(),
    why: `onnxruntime-node ${reason}`,
    advice: `\`${INSTALL_RUNTIME}\` would make it several times as fast`,
  };
}

/** What installing the library would do here. */
function installAdvice(processor: ProcessorKind, times: number): string {
  const install = process.platform === 'linux' ? '`apt install libdnnl2` (Debian, Ubuntu)' : 'Installing oneDNN';
  return `${install} would make training about ${times} times as fast on this kind of processor (${describeProcessor(processor)})`;
}

/** The engine of `chooseEngine` alone. One that makes do with WebAssembly is a warning. */
export async function createEngine(options: EngineChoiceOptions = {}): Promise<Engine> {
  const { engine, why, advice } = await chooseEngine(options);
  if (engine.name === WEB_ENGINE)
    (options.onWarning ?? warnOfProcess)(`${engine.description}, because ${why}. ${advice}`);
  return engine;
}

function warnOfProcess(warning: string): void {
  process.emitWarning(warning);
}
