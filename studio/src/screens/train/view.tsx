/** A run as it stands: the one control, the curves, the six sentences. The same for a run of the tab and one of the server. */
import type { ComponentChildren } from 'preact';
import { useWords } from '../../app/words.js';
import { type Curves, remainingMs } from './curves.js';
import { CurveFigures } from './figures.js';
import { clock, grouped } from './numbers.js';
import { Sentences } from './sentences.js';
import type { TrainState, TrainStatus } from './trainState.js';
import { WORDS } from './words.js';

export interface ViewProps {
  readonly state: TrainState;
  readonly over: readonly Curves[];
  /** Which engine trains, where there is a choice. */
  readonly engine?: ComponentChildren;
  /** What stands before there is a run. */
  readonly setup: ComponentChildren;
  readonly canStart: boolean;
  start(): void;
  pause(): void;
  resume(): void;
  /** Beside the control, of a run that rests. */
  readonly restActions?: ComponentChildren;
  /** Under a run that has a checkpoint. */
  readonly results?: ComponentChildren;
  /** Beside the curves: which others lie over them. */
  readonly overlays?: ComponentChildren;
}

export function TrainView({
  state,
  over,
  engine,
  setup,
  canStart,
  start,
  pause,
  resume,
  restActions,
  results,
  overlays,
}: ViewProps) {
  const t = useWords(WORDS);
  const { status, curves, predicted, probes, error } = state;
  const isEmpty = status === 'empty';
  const isResting = status === 'paused' || status === 'finished';
  return (
    <>
      <div class="train-control" data-tour="play">
        {PLAYING.includes(status) ? (
          <button type="button" class="primary train-play" disabled={status !== 'training'} onClick={pause}>
            <PlaySign isPlaying />
            {t.pause}
          </button>
        ) : (
          <button
            type="button"
            class="primary train-play"
            disabled={isEmpty ? !canStart : status !== 'paused'}
            onClick={isEmpty ? start : resume}
          >
            <PlaySign isPlaying={false} />
            {isEmpty || status === 'preparing' ? t.play : t.goOn}
          </button>
        )}
        {!isEmpty && <Progress state={state} />}
        {isResting && restActions}
      </div>
      {engine}
      {error && (
        <p class="train-error" role="alert">
          {error.message}
          {error.advice && ` ${error.advice}`}
        </p>
      )}
      {isEmpty && setup}
      {!isEmpty && status !== 'opening' && (
        <>
          {(predicted.length > 0 || isResting) && results}
          <CurveFigures curves={curves} over={over} setup={state.setup} />
          {overlays}
          <Sentences probes={probes} predicted={predicted} language={undefined} />
        </>
      )}
    </>
  );
}

const PLAYING: readonly TrainStatus[] = ['training', 'pausing', 'measuring'];

function Progress({ state }: { readonly state: TrainState }) {
  const t = useWords(WORDS);
  const { status, curves, prepared } = state;
  const { step, totalSteps = 0, tokensPerSecond } = curves;
  const left = remainingMs(curves);
  const note = {
    opening: '',
    empty: '',
    preparing: t.preparing,
    training: '',
    pausing: t.pausing,
    measuring: t.measuring,
    paused: t.paused,
    finished: t.finished,
    elsewhere: t.elsewhere,
  }[status];
  const parts = [
    totalSteps > 0 ? t.stepOf(grouped(step), grouped(totalSteps)) : undefined,
    status === 'training' && left !== undefined ? t.left(clock(left)) : undefined,
    status === 'training' && tokensPerSecond ? t.speed(grouped(tokensPerSecond)) : undefined,
    status === 'preparing' && prepared ? t.tokens(grouped(prepared.tokens)) : undefined,
  ].filter((part) => part !== undefined);
  return (
    <div class="train-progress">
      <progress max={Math.max(1, totalSteps)} value={step} aria-label={parts.join(', ') || note} />
      <p role="status">
        {parts.length > 0 && <span class="train-figures-line">{parts.join(' · ')}</span>}
        {note && <span>{note}</span>}
      </p>
    </div>
  );
}

function PlaySign({ isPlaying }: { readonly isPlaying: boolean }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="currentColor">
      {isPlaying ? <path d="M3 2h3.6v12H3zM9.4 2H13v12H9.4z" /> : <path d="M4 1.8v12.4L14 8z" />}
    </svg>
  );
}
