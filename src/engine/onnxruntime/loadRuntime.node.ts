/**
 * onnxruntime-node, which a project adds beside this package (an optional peer): a page needs none of its 290 MB, and on
 * Linux x64 its install script downloads CUDA libraries unless ONNXRUNTIME_NODE_INSTALL=skip is set.
 */
import type { InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import { EngineError } from '../engineError.js';

/** Installs what this package was tested with. Only on Linux x64 does the script look at the variable. */
export const INSTALL_RUNTIME =
  process.platform === 'linux'
    ? 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0'
    : 'npm install onnxruntime-node@1.30.0';

/** onnxruntime-node is not installed, or its library does not load on this machine. */
export class OnnxRuntimeMissing extends EngineError {
  /** @param reason  what follows "onnxruntime-node" in a sentence */
  constructor(
    readonly reason: string,
    cause?: unknown,
  ) {
    super(`onnxruntime-node ${reason}`, {
      subject: 'engine',
      found: 'onnxruntime-node',
      advice: `Install it: \`${INSTALL_RUNTIME}\``,
      cause,
    });
  }

  /** From what importing it threw, here or in a worker thread (whose failure has it as its cause). */
  static because(cause: unknown): OnnxRuntimeMissing {
    const { message } = ((cause as Error).cause ?? cause) as Error;
    const reason = /Cannot find (?:package|module) 'onnxruntime-node'/.test(message)
      ? 'is not installed'
      : `does not load: ${message}`;
    return new OnnxRuntimeMissing(reason, cause);
  }
}

/** What is used of it, in types of a package that is always there. */
interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** @throws OnnxRuntimeMissing */
export async function loadRuntime(): Promise<OnnxRuntime> {
  return import('onnxruntime-node').catch((cause) => {
    throw OnnxRuntimeMissing.because(cause);
  });
}
