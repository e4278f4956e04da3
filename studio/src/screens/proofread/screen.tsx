/** Screen "Proofread": the discriminator reads a text, and the generator says what could stand at a word that it doubts. */
import { useState } from 'preact/hooks';
import { DISCRIMINATOR_CLASSES } from '../../../../src/studio/modelRole.js';
import { useLanguage, useWords } from '../../app/words.js';
import { pairFor } from '../../backend/pickModel.js';
import { useCall, useModels } from '../../backend/useCall.js';
import { Commands } from '../../components/commands.js';
import { Figure } from '../../components/figure.js';
import { chosenModel, ModelSelect, modelsOf } from '../../components/modelSelect.js';
import { Slider } from '../../components/slider.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import { shortProbability } from '../../components/tokens.js';
import type { ScreenProps } from '../screen.js';
import { proofCode } from './code.js';
import { MarkedText } from './markedText.js';
import { chosenRate, proofScreenState, withWord } from './proofState.js';
import { Strip } from './strip.js';
import { PROOFREAD_WORDS } from './words.js';
import './proofread.css';

const TRAINING = `pleiad vocab corpus/ --out vocab/
pleiad prepare corpus/ --tokenizer vocab/ --out shards/
pleiad pretrain --data shards/ --out run/ --time 20m
pleiad studio run/`;

export function Screen({ state, change, did }: ScreenProps) {
  const t = useWords(PROOFREAD_WORDS);
  const pageLanguage = useLanguage();
  const { value: summaries, isLoading: isListing, error: listError, retry: listAgain } = useModels();
  const models = modelsOf(summaries, DISCRIMINATOR_CLASSES);
  const preferred = [...models].sort((a, b) => rank(a, pageLanguage) - rank(b, pageLanguage));
  const model = chosenModel(preferred, state.model ?? pairFor(models, pageLanguage)?.id);
  const language = model?.language === 'ko' ? 'ko' : model?.language === 'en' ? 'en' : pageLanguage;
  const { text, isSample, threshold: wanted } = proofScreenState(state, language);
  const call = useCall('proofread', model && { model: model.id, text });
  const found = call.value;
  const thresholds = found?.thresholds;
  const rate = thresholds ? chosenRate(thresholds, state.alarms) : -1;
  const threshold = thresholds?.[rate]?.[1] ?? wanted;
  const marked = found?.words.filter(({ doubt }) => doubt >= threshold).length ?? 0;
  const [past, setPast] = useState<readonly string[]>([]);
  const [isWriting, write] = useState(false);

  const replace = (next: string) => {
    setPast([...past, text]);
    change({ text: next });
  };

  if (listError) return <ErrorState error={listError} retry={listAgain} />;
  return (
    <div class="proof-screen">
      <h1 class="lead">{t.lead}</h1>
      {isWriting ? (
        <OwnText
          text={isSample ? '' : text}
          onCancel={() => write(false)}
          onText={(next) => {
            write(false);
            setPast([]);
            change({ text: next });
          }}
        />
      ) : (
        <>
          {!model && !isListing && <NoModel text={text} />}
          {model && !found && call.isLoading && <LoadingState progress={call.progress} />}
          {call.error && <ErrorState error={call.error} retry={call.retry} />}
          {model && found && !call.error && (
            <MarkedText
              model={model.id}
              text={found.text}
              words={found.words}
              threshold={threshold}
              language={isSample ? language : undefined}
              onOpen={() => did('opened')}
              onChoose={(word, proposal) => {
                replace(withWord(found.text, word, proposal));
                did('wrote');
              }}
            />
          )}
          <div class="proof-actions">
            {model && (
              <button type="button" class="primary" onClick={() => write(true)}>
                {t.own}
              </button>
            )}
            {past.length > 0 && (
              <button
                type="button"
                class="secondary"
                onClick={() => {
                  change({ text: past.at(-1) });
                  setPast(past.slice(0, -1));
                }}
              >
                {t.undo}
              </button>
            )}
            {!isSample && (
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  setPast([]);
                  change({ text: undefined });
                }}
              >
                {t.sample}
              </button>
            )}
            <ModelSelect
              label={t.model}
              models={preferred}
              value={model?.id}
              onChange={(id) => change({ model: id })}
            />
          </div>
        </>
      )}

      {model && found && found.words.length > 0 && !isWriting && (
        <div class="card proof-card">
          <Figure
            title={t.strip}
            name="proofread"
            note={t.stripNote}
            data={{ model: model.id, threshold, text: found.text, words: found.words }}
            code={proofCode(model.id, thresholds ? { falseAlarms: thresholds[rate][0] } : { threshold })}
          >
            <Strip text={found.text} words={found.words} threshold={threshold} />
          </Figure>
          {thresholds ? (
            <>
              <Slider
                label={t.alarms}
                value={rate}
                min={0}
                max={thresholds.length - 1}
                step={1}
                marks={thresholds.map((_, i) => i)}
                text={t.alarmsText(percent(thresholds[rate][0]))}
                tour="threshold"
                onInput={(next) => change({ alarms: `${thresholds[next][0]}` })}
              />
              <p class="proof-count">{t.alarmsNote(percent(thresholds[rate][0]))}</p>
            </>
          ) : (
            <Slider
              label={t.from}
              value={threshold}
              min={0.05}
              max={0.95}
              step={0.05}
              text={shortProbability(threshold)}
              tour="threshold"
              onInput={(next) => change({ threshold: next.toFixed(2) })}
            />
          )}
          <p class="proof-count" role="status">
            {t.count(marked, found.words.length)}
          </p>
        </div>
      )}
    </div>
  );
}

/** 0.1, 2, 10: as few digits as say it. */
const percent = (rate: number) => `${Number((100 * rate).toPrecision(2))}`;

/** Pairs first, and of those the page's language: a discriminator alone proposes nothing. */
function rank(
  model: { readonly roles: Readonly<Record<string, string>>; readonly language?: string },
  language: string,
) {
  return (model.roles.generator ? 0 : 2) + (model.language === language ? 0 : 1);
}

function NoModel({ text }: { readonly text: string }) {
  const t = useWords(PROOFREAD_WORDS);
  return (
    <>
      <p class="token-row proof-area proof-text">{text}</p>
      <EmptyState title={t.noModelTitle}>
        <p>{t.noModelText}</p>
        <Commands text={TRAINING} />
      </EmptyState>
    </>
  );
}

interface OwnTextProps {
  readonly text: string;
  onText(text: string): void;
  onCancel(): void;
}

function OwnText({ text, onText, onCancel }: OwnTextProps) {
  const t = useWords(PROOFREAD_WORDS);
  const [draft, setDraft] = useState(text);
  return (
    <form
      class="proof-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== '') onText(draft.trim());
        else onCancel();
      }}
    >
      <textarea
        // biome-ignore lint/a11y/noAutofocus: the reader has just asked for the field
        autoFocus
        aria-label={t.field}
        placeholder={t.placeholder}
        rows={8}
        maxLength={20_000}
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <div class="proof-actions">
        <button type="submit" class="primary">
          {t.check}
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {t.cancel}
        </button>
      </div>
    </form>
  );
}
