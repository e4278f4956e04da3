/** Screen "SpanBERT": hide a span, and see what its edges and what its own place say of every hidden word. */
import { useState } from 'preact/hooks';
import type { SpanOutput } from '../../../../src/studio/calls/predictSpan.js';
import { MASKED_LM_CLASSES } from '../../../../src/studio/modelRole.js';
import { throwCounts, throwSpan } from '../../../../src/studio/spanThrows.js';
import { useWords } from '../../app/words.js';
import { useCall, useModels } from '../../backend/useCall.js';
import { type Bar, Bars } from '../../components/bars.js';
import { Commands } from '../../components/commands.js';
import { Figure } from '../../components/figure.js';
import { chosenModel, ModelSelect, modelsOf } from '../../components/modelSelect.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import { shortProbability } from '../../components/tokens.js';
import type { ScreenProps } from '../screen.js';
import { boundaryCode, maskedCode, throwCode } from './code.js';
import { Lengths } from './lengths.js';
import { Places } from './places.js';
import { Sentence } from './sentence.js';
import { SENTENCES, type SpanScreenState, spanScreenState, spanText, type WordSpan } from './spanState.js';
import { SPANBERT_WORDS } from './words.js';
import './spanbert.css';

const THROWS_AT_ONCE = 100;
const TRAINING = `pleiad vocab corpus/ --cased --out vocab/
pleiad prepare corpus/ --tokenizer vocab/ --out shards/
pleiad pretrain --objective spanbert --data shards/ --out run/ --time 20m
pleiad studio run/`;

export function Screen({ state, change, did }: ScreenProps) {
  const t = useWords(SPANBERT_WORDS);
  const { value: summaries, isLoading: isListing, error: listError, retry: listAgain } = useModels();
  // A SpanBERT first, if its name says so: only loading a model shows whether it has a boundary head.
  const models = [...modelsOf(summaries, MASKED_LM_CLASSES)].sort((a, b) => rank(a.id) - rank(b.id));
  const model = chosenModel(models, state.model);
  const screen = spanScreenState(state, model?.language === 'ko' ? SENTENCES.ko : SENTENCES.en);
  const { text, words, span, throws, seed } = screen;
  const [first, last] = [words[span.first], words[span.last]];
  const call = useCall('span', model && { model: model.id, text, start: first.start, end: last.end, topK: 6 });
  // While a new answer is on its way the old one still stands: it counts only for its own span.
  const found = call.value && isOf(call.value, text, first.start, last.end) ? call.value : undefined;

  const show = (next: WordSpan, changes: Record<string, string | undefined> = {}) =>
    change({ span: spanText(next), piece: undefined, place: undefined, ...changes });

  const throwSome = (count: number) => {
    const from = state.throws === undefined ? Math.floor(Math.random() * 2 ** 31) : seed;
    const thrown = throwSpan(words.length, from, throws + count - 1);
    show(thrown, { throws: `${throws + count}`, seed: `${from}` });
    did('threw');
  };
  const lastThrow = throws > 0 ? throwSpan(words.length, seed, throws - 1) : undefined;
  const isThrown = lastThrow?.first === span.first && lastThrow.last === span.last;
  const counts = throwCounts(words.length, seed, throws);

  return (
    <div class="span-screen">
      <h1 class="lead">
        {t.lead}
        <b class="span-edges">{t.leadEdges}</b>
        {t.leadEnd}
      </h1>
      <Sentence
        words={words}
        span={span}
        current={wordOfPiece(screen, found)}
        placeOf={(word) => placeOfWord(screen, found, word)}
        onSpan={(next) => {
          show(next);
          did('span');
        }}
        onLook={(word) => change({ piece: `${placeOfWord(screen, found, word) - 1}`, place: undefined })}
      />
      <div class="span-actions">
        <button type="button" class="primary" data-tour="throw" onClick={() => throwSome(1)}>
          {t.throw}
        </button>
        <OtherSentence
          text={text}
          onText={(next) =>
            change({
              text: next,
              span: undefined,
              piece: undefined,
              place: undefined,
              throws: undefined,
              seed: undefined,
            })
          }
        />
        <ModelSelect label={t.model} models={models} value={model?.id} onChange={(id) => change({ model: id })} />
      </div>
      <p class="span-note" aria-live="polite">
        {isThrown &&
          lastThrow.length > span.last - span.first + 1 &&
          t.cut(lastThrow.length, span.last - span.first + 1)}
      </p>

      {model && found && <Answers screen={screen} found={found} model={model.id} change={change} did={did} />}
      {!found && call.error && <ErrorState error={call.error} retry={call.retry} />}
      {!found && model && call.isLoading && <LoadingState progress={call.progress} />}
      {listError && <ErrorState error={listError} retry={listAgain} />}
      {!model && !isListing && !listError && <NoModel title={t.noneTitle} text={t.noneText} />}

      <div class="card span-lengths-card">
        <Figure
          title={t.lengths}
          name="span-lengths"
          note={t.lengthsNote(throws)}
          data={{ lengths: counts.map((_, i) => i + 1), counts }}
          code={throwCode(text)}
        >
          <Lengths counts={counts} last={lastThrow?.length} />
        </Figure>
        <button type="button" class="secondary" onClick={() => throwSome(THROWS_AT_ONCE)}>
          {t.throwMore}
        </button>
      </div>
    </div>
  );
}

const rank = (id: string) => (/span/i.test(id) ? 0 : 1);

/** Whether an answer is about these words: offsets are those of whole words, as the screen's are. */
function isOf({ start, end, masked }: SpanOutput, text: string, from: number, to: number): boolean {
  const pieces = masked
    .map(({ token }) => token.replace(/^##/, ''))
    .join('')
    .toLowerCase();
  const isText = pieces.includes('[unk]') || pieces === text.slice(start, end).replace(/\s+/g, '').toLowerCase();
  return start === from && end === to && isText;
}

/** Place in the span, from 1, of the first piece of a hidden word; of its words where the pieces are not known yet. */
function placeOfWord({ words, span }: SpanScreenState, found: SpanOutput | undefined, word: number): number {
  const piece = found?.masked.findIndex(({ start }) => start >= words[word].start);
  return 1 + (piece === undefined || piece < 0 ? word - span.first : piece);
}

function wordOfPiece({ words, span, piece }: SpanScreenState, found: SpanOutput | undefined): number {
  const start = found?.masked[Math.min(piece, found.masked.length - 1)].start;
  const word = words.findIndex(({ end }) => start !== undefined && start < end);
  return word < 0 ? span.first : word;
}

interface AnswersProps extends Pick<ScreenProps, 'change' | 'did'> {
  readonly screen: SpanScreenState;
  readonly found: SpanOutput;
  readonly model: string;
}

/** What both heads say of the hidden piece that is looked at. */
function Answers({ screen, found, model, change, did }: AnswersProps) {
  const t = useWords(SPANBERT_WORDS);
  const { masked, places, boundaries, missing } = found;
  const piece = Math.min(screen.piece, masked.length - 1);
  const own = piece + 1;
  const target = masked[piece];
  const place = Math.min(screen.place ?? own, places?.length ?? own);
  const atPlace = places?.[place - 1];
  const said = (at: number) => places?.[at - 1]?.candidates[0]?.token ?? '';
  const bars = (candidates: readonly { token: string; score: number }[]): Bar[] =>
    candidates.map(({ token, score }) => ({ label: token, value: score, isOriginal: token === target.token }));
  return (
    <>
      {places && (
        <Places
          answers={places.map(({ candidates }) => candidates[0]?.token ?? '')}
          length={masked.length}
          value={place}
          onChange={(next) => {
            if (next !== own) did('wrong-place');
            change({ place: next === own ? undefined : `${next}` });
          }}
        />
      )}
      <p class="span-note" aria-live="polite">
        {places && place !== own && (
          <>
            {said(place) === said(own)
              ? t.unturned(place, own, said(own))
              : t.turned(place, own, said(place), said(own))}{' '}
            <button type="button" class="quiet span-back" onClick={() => change({ place: undefined })}>
              {t.back(own)}
            </button>
          </>
        )}
      </p>
      <div class="span-two">
        <div class="card">
          {atPlace && boundaries ? (
            <Figure
              title={t.sbo}
              name="span-boundary"
              note={t.sboNote(boundaries.left.token, boundaries.right.token, place)}
              data={{ text: screen.text, boundaries, place, masked: target.token, ...atPlace }}
              code={boundaryCode(model, screen.text, found, place)}
            >
              <Bars bars={bars(atPlace.candidates)} tone="teal" label={t.sbo} />
              <Own word={target.token} probability={atPlace.scores[piece]} />
            </Figure>
          ) : (
            <NoEdges missing={missing} />
          )}
        </div>
        <div class="card">
          <Figure
            title={t.mlm}
            name="span-mlm"
            note={t.mlmNote}
            data={{ text: screen.text, masked: target.token, candidates: target.candidates, score: target.score }}
            code={maskedCode(model, screen.text, found)}
          >
            <Bars bars={bars(target.candidates)} tone="accent" label={t.mlm} />
            <Own word={target.token} probability={target.score} />
          </Figure>
        </div>
      </div>
    </>
  );
}

/** The loss of what stood there: −ln P. */
function Own({ word, probability }: { readonly word: string; readonly probability: number }) {
  const t = useWords(SPANBERT_WORDS);
  const nats = (-Math.log(Math.max(probability, Number.MIN_VALUE))).toFixed(2);
  return (
    <p class="span-own">
      {t.loss(word)} <span>−ln {shortProbability(probability)} = </span>
      <b>{nats}</b>
    </p>
  );
}

function NoEdges({ missing }: { readonly missing: SpanOutput['missing'] }) {
  const t = useWords(SPANBERT_WORDS);
  if (missing === 'head') return <NoModel title={t.headTitle} text={t.headText} />;
  return (
    <EmptyState title={t.edgeTitle}>
      <p>{t.edgeText}</p>
    </EmptyState>
  );
}

function NoModel({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <EmptyState title={title}>
      <p>{text}</p>
      <Commands text={TRAINING} />
    </EmptyState>
  );
}

function OtherSentence({ text, onText }: { readonly text: string; onText(text: string): void }) {
  const t = useWords(SPANBERT_WORDS);
  const [draft, setDraft] = useState<string>();
  if (draft === undefined) {
    return (
      <button type="button" class="secondary" onClick={() => setDraft(text)}>
        {t.edit}
      </button>
    );
  }
  return (
    <form
      class="span-edit"
      onSubmit={(event) => {
        event.preventDefault();
        setDraft(undefined);
        if (draft.trim()) onText(draft.trim());
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: the reader has just asked for the field
        autoFocus
        aria-label={t.editLabel}
        value={draft}
        maxLength={400}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && setDraft(undefined)}
      />
      <button type="submit" class="secondary">
        {t.use}
      </button>
      <button type="button" class="quiet" onClick={() => setDraft(undefined)}>
        {t.cancel}
      </button>
    </form>
  );
}
