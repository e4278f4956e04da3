/** Screen "Ask": a question to a text, with everything that the answer is found in. */
import { useEffect, useState } from 'preact/hooks';
import { ANSWER_CLASSES } from '../../../../src/studio/modelRole.js';
import { useLanguage, useWords } from '../../app/words.js';
import { useCall, useModels } from '../../backend/useCall.js';
import { Commands } from '../../components/commands.js';
import { chosenModel, ModelSelect, modelsOf } from '../../components/modelSelect.js';
import { Slider } from '../../components/slider.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import type { ScreenProps } from '../screen.js';
import { askScreenState, LEADS, WINDOW_LENGTHS } from './askState.js';
import { MarkedText } from './markedText.js';
import { Panel } from './panel.js';
import { SAMPLES } from './samples.js';
import { ASK_WORDS } from './words.js';
import './ask.css';

const TRAINING = `pleiad finetune --task question-answering --from google/electra-small-discriminator \\
  --train train.json --dev dev.json --out qa/
pleiad studio qa/`;

export function Screen({ state, change, did }: ScreenProps) {
  const t = useWords(ASK_WORDS);
  const pageLanguage = useLanguage();
  const { value: summaries, isLoading: isListing, error: listError, retry: listAgain } = useModels();
  const models = modelsOf(summaries, ANSWER_CLASSES);
  const model = chosenModel(inPageLanguage(models, pageLanguage), state.model);
  const beside = models.find(({ id }) => id === state.beside && id !== model?.id);
  // The sample is in the model's language, where that is known: a model reads no other.
  const language = model?.language === 'ko' ? 'ko' : model?.language === 'en' ? 'en' : pageLanguage;
  const screen = askScreenState(state, language);
  const { question, text, windowLength } = screen;
  const input = (id: string | undefined) =>
    id === undefined || question === ''
      ? undefined
      : { model: id, question, context: text, topK: 5, ...(windowLength && { maxLength: windowLength }) };
  const first = useCall('ask', input(model?.id));
  const second = useCall('ask', input(beside?.id));
  const found = question === '' ? undefined : first.value;
  const threshold = screen.threshold ?? found?.nullThreshold ?? 0;
  const isAnswered = found !== undefined && found.answers.length > 0 && found.noAnswerScore <= threshold;
  const lead = found && -found.noAnswerScore;
  const mark = lead && Math.max(LEADS.min, Math.min(lead, LEADS.max));

  const ask = (next: string) => {
    if (next.trim() === '') return;
    change({ q: next.trim() });
    did('asked');
  };

  if (listError) return <ErrorState error={listError} retry={listAgain} />;
  return (
    <div class="ask-screen">
      <h1 class="lead">{t.lead}</h1>
      <QuestionForm question={question} onAsk={ask} />
      {screen.isSample && (
        <ul class="ask-examples" aria-label={t.examples}>
          {SAMPLES[language].questions.map((each) => (
            <li key={each}>
              <button type="button" lang={language} aria-pressed={each === question} onClick={() => ask(each)}>
                {each}
              </button>
            </li>
          ))}
        </ul>
      )}

      {!model && !isListing && (
        <EmptyState title={t.noModelTitle}>
          <p>{t.noModelText}</p>
          <Commands text={TRAINING} />
        </EmptyState>
      )}
      <div class="ask-panels" data-two={beside ? '' : undefined} data-waiting={first.isLoading ? '' : undefined}>
        {[
          { each: model, call: first },
          { each: beside, call: second },
        ].map(
          ({ each, call }) =>
            each && (
              <div key={each.id}>
                {call.error && <ErrorState error={call.error} retry={call.retry} />}
                {!call.value && call.isLoading && <LoadingState progress={call.progress} />}
                {call.value && !call.error && question !== '' && (
                  <Panel
                    model={each.id}
                    isNamed={beside !== undefined}
                    question={question}
                    text={text}
                    found={call.value}
                    threshold={screen.threshold ?? call.value.nullThreshold}
                    maxLength={windowLength}
                  />
                )}
              </div>
            ),
        )}
      </div>

      {model && (
        <div class="ask-settings">
          <div class="ask-threshold">
            <Slider
              label={t.wanted}
              value={-threshold}
              {...LEADS}
              text={(-threshold).toFixed(1)}
              marks={mark === undefined ? [] : [mark]}
              tour="threshold"
              onInput={(wanted) => {
                change({ threshold: `${-wanted}` });
                if (lead !== undefined && lead < wanted) did('turned-off');
              }}
            />
            {lead !== undefined && <p>{lead < 0 ? t.trails((-lead).toFixed(1)) : t.leads(lead.toFixed(1))}</p>}
          </div>
          <label class="model-select" data-tour="window">
            {t.window}{' '}
            <select
              value={windowLength ?? ''}
              onChange={(event) => change({ window: event.currentTarget.value || undefined })}
            >
              <option value="">{t.windowUsual}</option>
              {WINDOW_LENGTHS.map((length) => (
                <option key={length} value={length}>
                  {t.windowTokens(length)}
                </option>
              ))}
            </select>
          </label>
          <ModelSelect label={t.model} models={models} value={model.id} onChange={(id) => change({ model: id })} />
          {models.length > 1 && (
            <ModelSelect
              label={t.beside}
              models={models.filter(({ id }) => id !== model.id)}
              value={beside?.id}
              none={t.none}
              onChange={(id) => change({ beside: id })}
            />
          )}
        </div>
      )}

      <TextCard
        text={text}
        isSample={screen.isSample}
        onText={(next) => change({ text: next, q: undefined, threshold: undefined })}
      >
        <MarkedText
          text={text}
          found={found}
          isAnswered={isAnswered}
          language={screen.isSample ? language : undefined}
        />
      </TextCard>
    </div>
  );
}

/** Those of the page's language first. */
function inPageLanguage<T extends { readonly language?: string }>(models: readonly T[], language: string): T[] {
  return [...models].sort((a, b) => Number(b.language === language) - Number(a.language === language));
}

function QuestionForm({ question, onAsk }: { readonly question: string; onAsk(question: string): void }) {
  const t = useWords(ASK_WORDS);
  const [draft, setDraft] = useState(question);
  useEffect(() => setDraft(question), [question]);
  return (
    <form
      class="ask-form"
      data-tour="question"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk(draft);
      }}
    >
      <input
        aria-label={t.question}
        placeholder={t.question}
        value={draft}
        maxLength={400}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {t.ask}
      </button>
    </form>
  );
}

interface TextCardProps {
  readonly text: string;
  readonly isSample: boolean;
  readonly children: preact.ComponentChildren;
  onText(text: string | undefined): void;
}

/** The text, or the field in which it is changed. */
function TextCard({ text, isSample, children, onText }: TextCardProps) {
  const t = useWords(ASK_WORDS);
  const [draft, setDraft] = useState<string>();
  return (
    <section class="ask-text-card">
      <header>
        <h2>{t.text}</h2>
        {draft === undefined && (
          <button type="button" class="secondary" onClick={() => setDraft(isSample ? '' : text)}>
            {t.editText}
          </button>
        )}
        {!isSample && draft === undefined && (
          <button type="button" class="quiet" onClick={() => onText(undefined)}>
            {t.sample}
          </button>
        )}
      </header>
      {draft === undefined ? (
        children
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setDraft(undefined);
            if (draft.trim()) onText(draft.trim());
          }}
        >
          <textarea
            // biome-ignore lint/a11y/noAutofocus: the reader has just asked for the field
            autoFocus
            aria-label={t.text}
            rows={12}
            value={draft}
            onInput={(event) => setDraft(event.currentTarget.value)}
          />
          <button type="submit" class="secondary">
            {t.useText}
          </button>
          <button type="button" class="quiet" onClick={() => setDraft(undefined)}>
            {t.cancel}
          </button>
        </form>
      )}
    </section>
  );
}
