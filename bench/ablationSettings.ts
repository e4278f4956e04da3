/** What the ablation compares, and how its command line names learning rates. */
import { SettingsError } from '../src/errors/errors.js';

/** In the order of the paper's table 5, the best first. */
export const ABLATION_OBJECTIVES = ['electra', 'all-tokens-mlm', 'electra-15', 'replace-mlm', 'mlm'] as const;
export type AblationObjective = (typeof ABLATION_OBJECTIVES)[number];

/** That of `pleiad pretrain --size tiny`. */
export const DEFAULT_LEARNING_RATE = 4e-4;

/** "electra=1e-3,mlm=5e-4". @throws SettingsError naming everything that is not an objective and a rate above 0 */
export function parseLearningRates(words: string): Map<string, number> {
  const problems: string[] = [];
  const rates = words.split(',').map((pair): [string, number] => {
    const [objective, rate] = pair.split('=');
    if (!(ABLATION_OBJECTIVES as readonly string[]).includes(objective) || !(Number(rate) > 0)) {
      problems.push(
        `learning rate "${pair}"; expected one of ${ABLATION_OBJECTIVES.join(', ')}, "=" and a number above 0`,
      );
    }
    return [objective, Number(rate)];
  });
  if (problems.length) throw new SettingsError(problems);
  return new Map(rates);
}
