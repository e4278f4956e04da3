/** The models of a server, by their ids. Only what was named at the start is here, whatever a request says. */
import { SettingsError } from '../errors/errors.js';
import type { PipelineName } from '../pipelines/registry.js';
import type { ModelCard } from './routes/route.js';
import type { ServedModel } from './servedModel.js';
import { invalid, notFound, notReady } from './servingErrors.js';

export interface NamedPlace {
  readonly id: string;
  readonly place: string;
}

/** What an id may be: it stands in addresses. */
const ID = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u;

/**
 * Words of a command line, `qa=runs/qa` or `runs/qa`, whose id is the last part of the path.
 * @throws SettingsError for two of one id, and for one that cannot stand in an address
 */
export function namedPlaces(words: readonly string[], idOf: (place: string) => string): NamedPlace[] {
  const places = words.map((word) => {
    const [, id, place] = /^([^=/\\]+)=(.+)$/s.exec(word) ?? [];
    return id === undefined ? { id: idOf(word), place: word } : { id, place };
  });
  const problems = places.flatMap(({ id, place }, i) => {
    if (!ID.test(id)) return [`${JSON.stringify(id)} cannot be the id of ${place}; name it: my-model=${place}`];
    const first = places.findIndex((other) => other.id === id);
    if (first === i) return [];
    return [`${places[first].place} and ${place} both have the id ${JSON.stringify(id)}; name one: another=${place}`];
  });
  if (words.length === 0) problems.push('there is no model to serve; give one: pleiad serve runs/reviews');
  if (problems.length > 0) throw new SettingsError(problems);
  return places;
}

/** An encoder is for comparing sentences as much as for their vectors. */
function isFor({ task }: ModelCard, asked: PipelineName): boolean {
  return task === (asked === 'sentence-similarity' ? 'feature-extraction' : asked);
}

export class ModelSet {
  readonly #models: ReadonlyMap<string, ServedModel<ModelCard>>;

  constructor(models: readonly ServedModel<ModelCard>[]) {
    this.#models = new Map(models.map((model) => [model.id, model]));
  }

  get all(): ServedModel<ModelCard>[] {
    return [...this.#models.values()];
  }

  /** @throws RequestError 404 for an id that was not named at the start */
  named(id: string): { model: ServedModel<ModelCard>; card: ModelCard } {
    const model = this.#models.get(id);
    if (!model) throw notFound(`there is no model of this id; the models: ${[...this.#models.keys()].join(', ')}`);
    if (!model.card) throw notReady(`the model ${JSON.stringify(id)} could not be loaded; /readyz says why`);
    return { model, card: model.card };
  }

  /**
   * The model that a request means: the one that it names, else the first that is for the task, else the first that can do it.
   * @throws RequestError 404, or 422 where it cannot
   */
  forTask(task: PipelineName, id: string | null | undefined): { model: ServedModel<ModelCard>; card: ModelCard } {
    if (id !== undefined && id !== null) {
      const found = this.named(id);
      if (found.card.pipelines.includes(task)) return found;
      throw invalid(`the model ${JSON.stringify(id)} does not do ${task}; it does ${found.card.pipelines.join(', ')}`);
    }
    const able = this.all.filter(({ card }) => card?.pipelines.includes(task));
    const model = able.find(({ card }) => card && isFor(card, task)) ?? able[0];
    if (model?.card) return { model, card: model.card };
    const isBroken = this.all.some(({ card }) => card === undefined);
    if (isBroken) throw notReady(`no model that was loaded does ${task}; /readyz says what was not`);
    throw invalid(`no model here does ${task}; /api/models lists what they do`);
  }
}
