/** Says of the texts that a command works on how much of them the model's vocabulary does not know. */
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { countUnknown, unknownWarning, unknownWarningText } from '../text/unknownTokens.js';
import type { Output } from './output.js';

/**
 * Warns on standard error when more than a few per cent of the tokens are [UNK].
 * @returns the warnings, for `--json`
 */
export function warnOfUnknown(texts: readonly string[], tokenizer: WordPieceTokenizer, output: Output): string[] {
  const warning = unknownWarning(countUnknown(texts, tokenizer), tokenizer, { texts });
  return tellWarnings(warning ? [unknownWarningText(warning)] : [], output);
}

/** Tells warnings on standard error, and hands them on. */
export function tellWarnings(warnings: readonly string[], output: Output): string[] {
  for (const warning of warnings) output.note(`warning: ${warning}`);
  return [...warnings];
}
