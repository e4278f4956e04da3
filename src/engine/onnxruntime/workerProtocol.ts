/** What the driver over onnxruntime-node and its worker say to each other, beyond `node/protocol.ts`. */
import type { ExternalWeights } from './externalWeights.js';
import type { SessionSignature } from './sessionProgram.js';

export interface NodeWorkerSettings {
  readonly device: 'cpu' | 'cuda' | 'webgpu';
  readonly threads: number;
}

/** The worker's first message. */
export interface NodeGreeting {
  readonly version: string;
  /** Execution providers that the runtime was built with. */
  readonly providers: readonly string[];
}

/** What is compiled. */
export interface NodeSource {
  readonly model: ExternalWeights;
  readonly signature: SessionSignature;
}
