/** The pipelines of one place, over one engine: each is loaded when it is first asked for, and those of one class share a model. */
import { createEngine } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import { createPipeline } from '../pipelines/createPipeline.js';
import type { WantedModels, WorkOptions } from '../pipelines/definition.js';
import { loadModelFor } from '../pipelines/load.node.js';
import { type PipelineName, pipelineNamed } from '../pipelines/registry.js';
import type { Model } from '../pretrained/model.js';
import type { ThreadLoading } from './threadProtocol.js';

/** Runs many inputs. */
export type ManyCall = (inputs: readonly unknown[], options: object & WorkOptions) => Promise<unknown[]>;

export class LoadedPipelines {
  readonly engine: Engine;
  readonly #folder: string;
  readonly #loading: ThreadLoading;
  readonly #models = new Map<string, Promise<Model>>();
  readonly #pipelines = new Map<PipelineName, Promise<ManyCall>>();

  private constructor(folder: string, loading: ThreadLoading, engine: Engine) {
    this.#folder = folder;
    this.#loading = loading;
    this.engine = engine;
  }

  static async open(folder: string, loading: ThreadLoading): Promise<LoadedPipelines> {
    return new LoadedPipelines(folder, loading, await createEngine({ purpose: 'serving', ...loading }));
  }

  /** @throws CheckpointError when the place has no such model, or it is damaged */
  get(name: PipelineName): Promise<ManyCall> {
    return kept(this.#pipelines, name, async () => {
      const { wants, partner } = pipelineNamed(name);
      const model = await this.#model(wants);
      const second = partner && (await this.#model(partner));
      return (await createPipeline(name, model, {}, second)) as unknown as ManyCall;
    });
  }

  /** Whether all models that are loaded run batches without their padding: an ONNX file does not. */
  async skipsPadding(): Promise<boolean> {
    return (await Promise.all(this.#models.values())).every(({ skipsPadding }) => skipsPadding);
  }

  async close(): Promise<void> {
    const models = await Promise.allSettled(this.#models.values());
    for (const model of models) if (model.status === 'fulfilled') await model.value.release();
    await this.engine.close();
  }

  #model(wants: WantedModels): Promise<Model> {
    const { advice: _, ...choice } = wants;
    const { batchSize, onnx, lowercase, threads } = this.#loading;
    // In memory: a folder may be written over while its model is served.
    const options = {
      batchSize,
      skipPadding: batchSize > 1,
      onnx,
      lowercase,
      threads,
      engine: this.engine,
      keep: 'memory',
    } as const;
    return kept(this.#models, JSON.stringify(choice), () => loadModelFor(wants, this.#folder, options));
  }
}

/** Makes a value once; what failed may be tried again. */
function kept<K, V>(all: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = all.get(key);
  if (known) return known;
  const made = make();
  all.set(key, made);
  made.catch(() => all.delete(key));
  return made;
}
