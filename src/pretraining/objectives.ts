/**
 * Everything that can be pre-trained. An objective is one file that exports its definition, and one line here;
 * docs/extending.md adds one as an example.
 */
import { settingName } from '../settings/settingNames.js';
import { allTokensMlm, electra, electra15, replaceMlm, twoStage } from './electra.js';
import { maskedLm } from './maskedLm.js';
import { spanbert } from './spanbert.js';

export const OBJECTIVES = [
  electra, // ELECTRA (arXiv 2003.10555 §2)
  electra15, // its loss at the masked slots alone (§3.4)
  replaceMlm, // masked LM over a generator's replacements (§3.4)
  allTokensMlm, // the same for every token (§3.4)
  maskedLm, // BERT's masked LM
  twoStage, // the generator first, then the discriminator (§3.2)
  spanbert, // SpanBERT (arXiv 1907.10529)
] as const;

type Definition = (typeof OBJECTIVES)[number];
export type PretrainingObjectiveName = Definition['name'];
export const PRETRAINING_OBJECTIVES = OBJECTIVES.map(({ name }) => name);

/** @param settings  or anything else that names an objective of the table */
export function definitionOf({ objective }: { readonly objective: string }): Definition {
  const found = OBJECTIVES.find(({ name }) => name === objective);
  if (!found) throw new Error(`there is no objective ${objective}; known are ${PRETRAINING_OBJECTIVES.join(', ')}`);
  return found;
}

type UnionToIntersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never;
/** The settings that some objectives have, of all of them together. */
export type OwnFields = UnionToIntersection<NonNullable<Definition['own']>['fields']>;
export const OWN_FIELDS = Object.assign({}, ...OBJECTIVES.map(({ own }) => own?.fields)) as OwnFields;

/** Settings that were given and belong to other objectives, one sentence each. */
export function foreignSettings(objective: string, given: ReadonlySet<string>): string[] {
  const own = Object.keys(definitionOf({ objective }).own?.fields ?? {});
  const foreign = Object.keys(OWN_FIELDS).filter((field) => given.has(field) && !own.includes(field));
  return foreign.map((field) => {
    const owners = OBJECTIVES.filter((definition) => field in (definition.own?.fields ?? {}));
    const why = owners[0].own?.why;
    const reason = why === undefined ? `; only ${owners.map(({ name }) => name).join(', ')} has it` : `, ${why}`;
    return `${settingName(field)} is set and ${settingName('objective')} is ${objective}${reason}`;
  });
}

/** Whether a second model is trained, which proposes replacements. */
export function trainsGenerator(settings: {
  readonly objective: string;
  readonly generatorKind: 'model' | 'uniform' | 'unigram';
}): boolean {
  return definitionOf(settings).hasGenerator === true && settings.generatorKind === 'model';
}
