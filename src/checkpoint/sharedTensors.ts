/**
 * Tensors that two models of a pair share and that are stored once. The metadata of the file that leaves them out names
 * them and the folder beside its own that holds them: { shared_tensors: '{"discriminator":["electra.embeddings.…"]}' }.
 */
import { z } from 'zod';
import { CheckpointError } from '../errors/errors.js';
import { damaged } from '../formats/damaged.js';
import type { ModelRole } from './modelFolder.js';
import type { StoredTensor } from './tensorSource.js';

const KEY = 'shared_tensors';

export interface SharedTensors {
  /** The folder beside this model's own that holds them. */
  readonly folder: ModelRole;
  readonly names: readonly string[];
}

/** As metadata of a safetensors file. */
export function encodeShared({ folder, names }: SharedTensors): Record<string, string> {
  return { [KEY]: JSON.stringify({ [folder]: names }) };
}

const ROLES = ['discriminator', 'generator', 'model'] as const satisfies readonly ModelRole[];
const schema = z.partialRecord(z.enum(ROLES), z.array(z.string()));

/**
 * What the metadata of a file says; undefined where it shares nothing.
 * @throws CheckpointError when it cannot be read, or names anything but a model of a pair
 */
export function sharedIn(metadata: Readonly<Record<string, string>>, source: string): SharedTensors | undefined {
  const text = metadata[KEY];
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(source, `its ${KEY} are not JSON`, text, cause);
  }
  const parsed = schema.safeParse(json);
  const [entry, ...more] = Object.entries(parsed.data ?? {});
  if (!entry || more.length > 0)
    throw damaged(source, `its ${KEY} are no list of names under one of ${ROLES.join(', ')}`);
  return { folder: entry[0] as ModelRole, names: entry[1] };
}

/**
 * The tensors of a model together with those that it shares.
 * @param beside  of the model that holds them
 * @throws CheckpointError when one is not there
 */
export function withShared(
  tensors: ReadonlyMap<string, StoredTensor>,
  { names, folder }: SharedTensors,
  beside: ReadonlyMap<string, StoredTensor>,
  source: string,
): Map<string, StoredTensor> {
  const all = new Map(tensors);
  for (const name of names) {
    const tensor = beside.get(name);
    if (!tensor) {
      throw new CheckpointError(`${source} shares ${name} with its ${folder}, which has no such tensor`, {
        subject: source,
        found: name,
        advice: 'Both models of a pair belong together; copy, download or make them again',
      });
    }
    all.set(name, tensor);
  }
  return all;
}
