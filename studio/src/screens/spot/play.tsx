/** One round: the sentence, the reader's marks, then the model's. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf } from '../../app/address.js';
import { useLanguage, useWords } from '../../app/words.js';
import { Rich } from '../../components/rich.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import { fakesOf, hits, modelMarks, type PlayedRound, ROUNDS, requestOf, toggledMark, totals } from './game.js';
import { Sentence } from './sentence.js';
import { NoModel, type Round, useRound } from './useRound.js';
import { WORDS } from './words.js';

interface PlayProps {
  readonly game: number;
  readonly played: readonly PlayedRound[];
  did(what: string): void;
  finish(round: PlayedRound): void;
}

export function Play(props: PlayProps) {
  const { game, played } = props;
  const t = useWords(WORDS);
  const { value: round, error, progress, retry } = useRound(game, played.length);
  if (error instanceof NoModel) {
    return (
      <EmptyState title={t.noModel}>
        <p>{t.noModelMore}</p>
        <a href={addressOf({ screen: 'spot', state: {} })}>{t.again}</a>
      </EmptyState>
    );
  }
  if (error) return <ErrorState error={error} retry={retry} />;
  if (!round) return <LoadingState progress={progress} />;
  return <OneRound {...props} round={round} />;
}

function OneRound({ game, played, round, did, finish }: PlayProps & { readonly round: Round }) {
  const t = useWords(WORDS);
  const language = useLanguage();
  const [marks, setMarks] = useState<readonly number[]>([]);
  const [isShown, show] = useState(false);
  const next = useRef<HTMLButtonElement>(null);
  const fakes = fakesOf(round).length;
  const its = modelMarks(round);
  const result: PlayedRound = { fakes, you: hits(round.words, marks), model: hits(round.words, its) };
  const score = totals(isShown ? [...played, result] : played);
  const left = fakes - marks.length;

  // The button that was pressed is gone: the keyboard goes on from the next one.
  useEffect(() => {
    if (isShown) next.current?.focus({ preventScroll: true });
  }, [isShown]);

  return (
    <>
      <p class="lead spot-ask">
        <Rich text={t.ask[fakes]} />
      </p>
      <Sentence
        round={round}
        marks={marks}
        modelMarks={isShown ? its : undefined}
        toggle={(index) => {
          setMarks(toggledMark(marks, index, fakes));
          did('marked');
        }}
      />
      <div class="spot-bar">
        {isShown ? (
          <button ref={next} type="button" class="primary" onClick={() => finish(result)}>
            {played.length + 1 === ROUNDS ? t.finish : t.next}
          </button>
        ) : (
          <button
            type="button"
            class="primary"
            data-tour="show"
            disabled={left > 0}
            onClick={() => {
              show(true);
              did('shown');
            }}
          >
            {left > 0 ? t.more(left) : t.show}
          </button>
        )}
        <Dots played={played} />
        <p class="spot-score">
          {t.you} <b>{score.you}</b> {t.model} <b>{score.model}</b>
        </p>
      </div>
      <div class="spot-after" aria-live="polite">
        {isShown && (
          <>
            <p class="spot-found">
              <Rich text={t.found(result.you, result.model, fakes)} />
            </p>
            <p class="spot-legend" aria-hidden="true">
              <span class="spot-legend-mine">{t.yours}</span>
              <span class="spot-legend-model">{t.itsMark}</span>
              <span class="spot-legend-was">{t.was}</span>
            </p>
          </>
        )}
      </div>
      <p class="spot-why">
        <Rich text={t.why} />{' '}
        {isShown && (
          <a href={addressOf({ screen: 'electra', state: { text: requestOf(language, game, played.length).text } })}>
            {t.how}
          </a>
        )}
      </p>
      {isShown && <p class="spot-note">{round.isBuilt ? t.built : t.live}</p>}
    </>
  );
}

/** Which sentence it is, and who was better in those before. */
function Dots({ played }: { readonly played: readonly PlayedRound[] }) {
  const t = useWords(WORDS);
  return (
    <span class="spot-dots" role="img" aria-label={t.round(played.length + 1, ROUNDS)}>
      {Array.from({ length: ROUNDS }, (_, i) => {
        const round = played[i];
        const outcome = round ? (round.you >= round.model ? 'you' : 'model') : i === played.length ? 'now' : 'ahead';
        return <i key={i} data-outcome={outcome} />;
      })}
    </span>
  );
}
