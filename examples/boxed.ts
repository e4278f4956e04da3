/** The quickstart's part with the models in the box: what hours of training give, one second after installing. */
import { markedText } from '../src/cli/commands/detect.js';
import { duration } from '../src/cli/numbers.js';
import type { Output } from '../src/cli/output.js';
import { BOXED } from '../src/hub/boxedNames.js';
import { boxedModels, type Engine, loadFillMask, loadReplacedTokenDetection, pipeline } from '../src/index.node.js';

const DETECTED = 'She was a very beautiful tuesday and lived in the castle.';
const GAP = 'The capital of [MASK] is Paris.';
/** The question on the last page of the book that asks for SpanBERT. */
const QUESTION = 'What is machine learning?';
const CONTEXT =
  'Machine learning is a subset of artificial intelligence. It is widely for creating a variety of applications such as email filtering and computer vision';

/** What was shown; a model that is not there shows nothing. */
export interface Boxed {
  readonly pair: boolean;
  readonly questions: boolean;
  readonly answer?: string;
}

/** Detects, fills a gap and answers a question, each with the seconds that it took from loading on. */
export async function useBoxed(output: Output): Promise<Boxed> {
  const names: readonly string[] = boxedModels().map(({ name }) => name);
  const [pair, questions] = [names.includes(BOXED.pair), names.includes(BOXED.questionAnswering)];
  if (!pair && !questions) {
    output.line('none is installed (the package pleiad-models has them), so this begins with training');
    return { pair, questions };
  }
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    output.line(
      output.style(`  ${what}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s with loading`, 'dim'),
    );
    return result;
  };
  if (pair) {
    await timed(`npx pleiad detect ${JSON.stringify(DETECTED)}`, async () => {
      const detector = await loadReplacedTokenDetection(BOXED.pair);
      const tokens = await detector.detect(DETECTED);
      await detector.release();
      const most = tokens.reduce((a, b) => (b.replaced > a.replaced ? b : a));
      output.line(`${markedText(DETECTED, tokens, output)}  doubted most: ${most.token} ${most.replaced.toFixed(2)}`);
    });
    await timed(`npx pleiad fill-mask ${JSON.stringify(GAP)}`, async () => {
      const filler = await loadFillMask(BOXED.pair);
      const { masks } = await filler.fill(GAP, { topK: 3 });
      await filler.release();
      output.line(
        `${GAP}  ${masks[0].candidates.map(({ token, score }) => `${token} ${score.toFixed(2)}`).join(', ')}`,
      );
    });
  }
  if (!questions) return { pair, questions };
  const answer = await timed(`npx pleiad ask ${JSON.stringify(QUESTION)} --context …`, async () => {
    await using ask = await pipeline('question-answering', {});
    const found = await ask({ question: QUESTION, context: CONTEXT });
    output.line(`${QUESTION}  ${found.answer}`);
    return found.answer;
  });
  return { pair, questions, answer };
}

/** The same by a run of some minutes and by the model in the box. */
export async function besideBoxed(
  checkpoint: string,
  elapsedMs: number,
  engine: Engine,
  output: Output,
): Promise<void> {
  for (const [name, place] of [
    [`this run, ${duration(elapsedMs)} of training`, checkpoint],
    [`${BOXED.pair}, hours of training on top of a model that was trained for days`, BOXED.pair],
  ]) {
    output.line(output.style(name, 'bold'));
    const detector = await loadReplacedTokenDetection(place, { engine });
    const tokens = await detector.detect(DETECTED);
    output.line(`  ${tokens.map(({ token, replaced }) => `${token} ${replaced.toFixed(2)}`).join('  ')}`);
    const filler = await loadFillMask(place, { engine });
    const { masks } = await filler.fill(GAP, { topK: 3 });
    output.line(
      `  ${GAP}  ${masks[0].candidates.map(({ token, score }) => `${token} ${score.toFixed(2)}`).join(', ')}`,
    );
    await detector.release();
    await filler.release();
  }
  output.line(
    'Five minutes show that it works; what hours and days bring, and how to spend them, is in docs/recipe.md.',
  );
}
