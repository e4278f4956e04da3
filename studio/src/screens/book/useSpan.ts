/** The sentence of the chapters about SpanBERT, and what a model makes of its hidden span. */
import type { SpanOutput } from '../../../../src/studio/calls/predictSpan.js';
import { MASKED_LM_CLASSES } from '../../../../src/studio/modelRole.js';
import type { ScreenState } from '../../app/address.js';
import { type Pending, useCall, useModels } from '../../backend/useCall.js';
import { modelsOf } from '../../components/modelSelect.js';
import { SENTENCES, type SpanScreenState, spanScreenState } from '../spanbert/spanState.js';

export interface BookSpan extends Pending<SpanOutput> {
  readonly screen: SpanScreenState;
  readonly hasModel: boolean;
}

/** A model whose name says that it was trained on spans, before any other masked LM. */
export function useSpan(state: ScreenState): BookSpan {
  const { value: models, isLoading, error, retry } = useModels();
  const fitting = [...modelsOf(models, MASKED_LM_CLASSES)].sort((a, b) => rank(a.id) - rank(b.id));
  const model = fitting.at(0);
  const screen = spanScreenState({ span: state.span ?? '' }, SENTENCES.en);
  const { words, span, text } = screen;
  const [start, end] = [words[span.first].start, words[span.last].end];
  const call = useCall('span', model && { model: model.id, text, start, end, topK: 4 });
  return { ...(models ? call : { isLoading, error, retry }), screen, hasModel: model !== undefined || isLoading };
}

const rank = (id: string) => (/span/i.test(id) ? 0 : 1);
