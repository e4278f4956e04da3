/** What decides whether two runs of a program give the same bits. */
import type { Engine, Precision } from './engine.js';

export interface EngineIdentity {
  readonly name: string;
  readonly precision: Precision;
  readonly threads?: number;
}

export function engineIdentity({ name, precision = 'fp32', threads }: Engine): EngineIdentity {
  return { name, precision, ...(threads !== undefined && { threads }) };
}
