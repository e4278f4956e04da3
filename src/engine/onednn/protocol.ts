/** What the driver over oneDNN and its worker say to each other, beyond `worker/protocol.ts`. */

import type { FileRange } from '../../files/storedValues.js';
import type { Graph } from '../../graph/graph.js';
import type { Precision } from '../engine.js';

export interface OneDnnSettings {
  readonly threads: number;
  readonly precision: Precision | 'auto';
}

/** The worker's first message. */
export type OneDnnGreeting =
  /** There is no library that can be used. */
  | { readonly missing: string }
  /** There is, but it cannot do what is asked for. */
  | { readonly refused: string }
  | {
      readonly version: string;
      readonly path: string;
      readonly precision: Precision;
      readonly warnings: readonly string[];
    };

/** What is compiled. */
export interface OneDnnSource<Weights = Float32Array> {
  readonly label: string;
  readonly graph: Graph;
  readonly weights?: ReadonlyMap<string, Weights>;
}

/** As it is sent: weights that stay in a file are read by the worker. */
export type SentOneDnnSource = OneDnnSource<Float32Array | FileRange>;
