/**
 * Fetches released models from the hub, loads them and compares them with recorded facts: what only somebody who is online can
 * run. Prints a report in Markdown, to paste into an issue.
 *
 *     npm run check:hub                      all, about 1.7 GB, most of it the large one
 *     npm run check:hub -- NAME…             only these
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PleiadError } from '../src/errors/errors.js';
import { joinFirst } from '../src/errors/joinFirst.js';
import { HubError } from '../src/hub/hubError.js';
import type { EncoderConfig } from '../src/models/config.js';
import { type LoadPretrainedOptions, loadPretrained, type Pretrained } from '../src/pretrained/pretrained.node.js';
import { VERSION } from '../src/version.js';
import { RELEASED, type ReleasedModel } from './hubFacts.js';
import { machineDescription } from './report.js';

export type CheckHubOptions = Pick<LoadPretrainedOptions, 'endpoint' | 'cacheFolder' | 'token' | 'offline'>;

export interface ModelCheck {
  readonly name: string;
  /** Commit that was fetched. */
  readonly commit?: string;
  readonly seconds: number;
  readonly facts: readonly { readonly fact: string; readonly expected: string; readonly found: string }[];
  /** Why it could not be loaded. */
  readonly error?: string;
  /** Whether nobody answered, so that nothing is known of the model. */
  readonly isUnreachable?: boolean;
}

export const isRight = ({ facts, error }: ModelCheck) =>
  error === undefined && facts.every(({ expected, found }) => expected === found);

/** Checks one model after the other, so that one is in memory at a time. */
export async function* checkHub(
  models: readonly ReleasedModel[],
  options: CheckHubOptions = {},
): AsyncGenerator<ModelCheck> {
  for (const model of models) {
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10;
    try {
      // Heads that are missing are compared with what is known to be, instead of refused.
      const loaded = await loadPretrained(model.name, { ...options, task: model.task, newHead: true });
      yield { name: model.name, commit: loaded.hub?.commit, seconds: seconds(), facts: factsOf(model, loaded) };
    } catch (error) {
      if (!(error instanceof PleiadError)) throw error;
      const isUnreachable =
        error instanceof HubError && (error.problem === 'unreachable' || error.problem === 'offline');
      yield { name: model.name, seconds: seconds(), facts: [], error: error.message, isUnreachable };
    }
  }
}

function factsOf(released: ReleasedModel, { model, tensors, report, tokenizer }: Pretrained): ModelCheck['facts'] {
  const { architecture, parameters, config, lowercase, clsId, missing = [] } = released;
  const random = new Set(report.initialized);
  const own = [...tensors].filter(([name]) => !random.has(name));
  const numValues = own.reduce((sum, [, { data }]) => sum + data.length, 0);
  const notFinite = own.filter(([, { data }]) => !data.every(Number.isFinite)).map(([name]) => name);
  const list = (names: readonly string[]) => joinFirst([...names].sort(), 5) || 'none';
  const fields = Object.entries(config) as [keyof EncoderConfig, number][];
  const rows: [fact: string, expected: unknown, found: unknown][] = [
    ['class', architecture, model.architecture],
    ['parameters in its files', parameters, numValues],
    ...fields.map(([field, value]): [string, unknown, unknown] => [field, value, model.config[field]]),
    ['tensors that are missing', list(missing), list(report.initialized)],
    ['tensors that are not finite', 'none', list(notFinite)],
    ['pieces of the tokenizer', config.vocabSize, tokenizer?.vocabSize ?? 'no tokenizer'],
    ['lower-cases', lowercase, tokenizer?.settings.lowercase ?? 'no tokenizer'],
    ...(clsId === undefined
      ? []
      : [['id of [CLS]', clsId, tokenizer?.clsId ?? 'no tokenizer'] as [string, unknown, unknown]]),
  ];
  return rows.map(([fact, expected, found]) => ({ fact, expected: String(expected), found: String(found) }));
}

/** The report: a line a model, and a table of what is not as recorded. */
export function hubReport(checks: readonly ModelCheck[]): string {
  const lines = checks.map((check) => {
    const { name, commit, seconds, facts, error } = check;
    const wrong = facts.filter(({ expected, found }) => expected !== found).length;
    const verdict =
      error ?? (wrong === 0 ? `all ${facts.length} facts as recorded` : `${wrong} of ${facts.length} differ`);
    return `- ${isRight(check) ? '✓' : '✗'} \`${name}\`${commit ? ` at ${commit.slice(0, 12)}` : ''}, ${seconds} s: ${verdict}`;
  });
  const differing = checks.flatMap(({ name, facts }) =>
    facts
      .filter(({ expected, found }) => expected !== found)
      .map(({ fact, expected, found }) => `| ${name} | ${fact} | ${expected} | ${found} |`),
  );
  const table = ['| model | fact | recorded | found |', '|---|---|---|---|', ...differing];
  return [
    '## Released models on the hub',
    '',
    `Pleiad ${VERSION}, ${machineDescription()}, ${process.platform}`,
    '',
    ...lines,
    ...(differing.length > 0 ? ['', ...table] : []),
  ].join('\n');
}

/** What to do when models could not be reached; undefined where all were. */
export function reachAdvice(checks: readonly ModelCheck[]): string | undefined {
  const unreachable = checks.filter(({ isUnreachable }) => isUnreachable);
  if (unreachable.length === 0) return undefined;
  const which = unreachable.length === checks.length ? 'None of the models' : `${unreachable.length} of the models`;
  return `${which} could be fetched: the hub does not answer, or offline mode is on. Run this on a machine with access to the hub, with HF_ENDPOINT set to a mirror, or without HF_HUB_OFFLINE; what was fetched is kept in its cache.`;
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !RELEASED.some((model) => model.name === name));
  if (unknown.length > 0) {
    const known = RELEASED.map(({ name }) => name).join(', ');
    console.error(`check:hub: nothing is recorded of ${unknown.join(', ')}; known are ${known}`);
    return 2;
  }
  const checks: ModelCheck[] = [];
  for await (const check of checkHub(RELEASED.filter(({ name }) => names.length === 0 || names.includes(name)))) {
    console.error(`${check.name}: ${isRight(check) ? 'as recorded' : (check.error ?? 'differs')}`);
    checks.push(check);
  }
  console.log(hubReport(checks));
  const advice = reachAdvice(checks);
  if (advice) console.error(`\n${advice}`);
  return checks.every(isRight) ? 0 : 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
