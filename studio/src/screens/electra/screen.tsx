/** Screen "ELECTRA": one step over one sentence, from the text to both losses. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { StudioModelSummary } from '../../../../src/studio/studioCall.js';
import { addressOf } from '../../app/address.js';
import { useLanguage, useWords } from '../../app/words.js';
import { pairFor, seriesBeside, withRoles } from '../../backend/pickModel.js';
import { useCall, useModels } from '../../backend/useCall.js';
import { Rich } from '../../components/rich.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import type { ScreenProps } from '../screen.js';
import { Controls } from './controls.js';
import { GapBars } from './gapBars.js';
import { Losses } from './losses.js';
import { RocFigure } from './rocFigure.js';
import { Rows } from './rows.js';
import { parseState } from './state.js';
import { TwoSentences } from './twoSentences.js';
import { WORDS } from './words.js';
import './electra.css';

export function Screen(props: ScreenProps) {
  const t = useWords(WORDS);
  const language = useLanguage();
  const { value: models, error, retry } = useModels();
  if (error) return <ErrorState error={error} retry={retry} />;
  if (!models) return <LoadingState />;
  const pairs = withRoles(models, ['generator', 'discriminator']);
  const pair = pairs.find(({ id }) => id === props.state.model) ?? pairFor(models, language);
  return (
    <div class="electra">
      <h1 class="visually-hidden">{t.title}</h1>
      <p class="lead">
        <Rich text={t.lead} />
      </p>
      {pair ? <Bench {...props} pairs={pairs} pair={pair} /> : <NoPair />}
    </div>
  );
}

function NoPair() {
  const t = useWords(WORDS);
  return (
    <EmptyState title={t.noPair}>
      <p>{t.noPairMore}</p>
      <p>
        <a href={addressOf({ screen: 'train', state: {} })}>{t.toTrain}</a> ·{' '}
        <a href={addressOf({ screen: 'models', state: {} })}>{t.toModels}</a>
      </p>
    </EmptyState>
  );
}

interface BenchProps extends ScreenProps {
  readonly pairs: readonly StudioModelSummary[];
  readonly pair: StudioModelSummary;
}

/** Candidates that a gap shows. */
const SHOWN = 8;

function Bench({ state: address, change, did, pairs, pair }: BenchProps) {
  const language = useLanguage();
  const state = useMemo(() => parseState(address, language), [address, language]);
  const [hovered, hover] = useState<number>();
  const { text, masked, typed, temperature, draw } = state;
  const {
    value: step,
    error,
    progress,
    retry,
    isLoading,
  } = useCall('electra-step', {
    model: pair.id,
    text,
    masked: [...masked],
    typed: [...typed],
    temperature,
    draw: draw === 'best' ? 'most-probable' : { seed: draw },
    top: SHOWN,
  });

  const drewOriginal = step?.places.some(({ index }) => step.corrupted[index].kind === 'same') ?? false;
  useEffect(() => {
    if (drewOriginal) did('drew-original');
  }, [drewOriginal, did]);

  if (!step) return error ? <ErrorState error={error} retry={retry} /> : <LoadingState progress={progress} />;
  const shown = [hovered, state.look].find((index) => step.places.some((place) => place.index === index));
  const place = step.places.find(({ index }) => index === shown) ?? step.places[0];
  return (
    <>
      <Rows
        model={pair.id}
        step={step}
        state={state}
        shown={place?.index}
        isBusy={isLoading}
        change={change}
        did={did}
        hover={hover}
      >
        <div class="electra-below">
          <GapBars model={pair.id} step={step} place={place} />
          <Controls
            state={state}
            series={seriesBeside(pairs, pair)}
            pair={pair}
            pairs={pairs}
            change={change}
            did={did}
          />
        </div>
      </Rows>
      {error && <ErrorState error={error} retry={retry} />}
      <div class="electra-two">
        <Losses step={step} lambda={state.lambda} change={change} />
        <RocFigure model={pair.id} state={state} change={change} />
      </div>
      <div class="card">
        <TwoSentences model={pair.id} state={state} change={change} />
      </div>
    </>
  );
}
