/** The end of a game, and what somebody who is sent its address sees. */
import { useWords } from '../../app/words.js';
import { CopyLink } from '../../components/copyLink.js';
import { Figure } from '../../components/figure.js';
import { Rich } from '../../components/rich.js';
import { useWidth } from '../../components/useWidth.js';
import { ROUND_CODE } from './code.js';
import { type PlayedRound, totals } from './game.js';
import { WORDS } from './words.js';

interface ResultProps {
  readonly rounds: readonly PlayedRound[];
  readonly isOwn: boolean;
  repeat(): void;
  another(): void;
}

export function Result({ rounds, isOwn, repeat, another }: ResultProps) {
  const t = useWords(WORDS);
  const { fakes, you, model } = totals(rounds);
  const verdict = you > model ? t.better : you === model ? t.equal : t.worse;
  return (
    <div class="spot-result">
      <p class="spot-verdict">
        <Rich text={(isOwn ? t.won : t.friend)(you, model, fakes)} />
      </p>
      <p class="lead">{isOwn ? verdict : t.challenge}</p>
      <Figure title={t.result} name="spot-the-fake" data={{ rounds, total: { fakes, you, model } }} code={ROUND_CODE}>
        <Strip rounds={rounds} label={t.chart(you, model)} you={isOwn ? t.you : t.they} model={t.model} />
      </Figure>
      <div class="spot-bar">
        <button type="button" class="primary" onClick={isOwn ? another : repeat}>
          {isOwn ? t.another : t.same}
        </button>
        <CopyLink label={t.copy} done={t.copied} />
        {isOwn && (
          <button type="button" class="quiet" onClick={repeat}>
            {t.same}
          </button>
        )}
      </div>
    </div>
  );
}

const STEP = 13;

/** For each sentence a column of dots, one a fake: above the reader's, filled where found, below the model's. */
function Strip(props: {
  readonly rounds: readonly PlayedRound[];
  readonly label: string;
  readonly you: string;
  readonly model: string;
}) {
  const { rounds, label, you, model } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const names = 64;
  const column = Math.min(64, (width - names) / rounds.length);
  const height = 2 * (4 * STEP + 16);
  const middle = height / 2;
  return (
    <div ref={box} class="spot-strip">
      {width > 0 && (
        <svg width={Math.min(width, names + column * rounds.length)} height={height} role="img" aria-label={label}>
          <text class="spot-strip-name" x="0" y={middle - 18}>
            {you}
          </text>
          <text class="spot-strip-name" x="0" y={middle + 26}>
            {model}
          </text>
          <line class="spot-strip-line" x1={names - 8} x2={names + column * rounds.length} y1={middle} y2={middle} />
          {rounds.flatMap((round, i) =>
            Array.from({ length: round.fakes }, (_, fake) => {
              const x = names + column * (i + 0.5);
              const offset = 12 + fake * STEP;
              return [
                <circle
                  key={`y${i}-${fake}`}
                  class="spot-strip-you"
                  cx={x}
                  cy={middle - offset}
                  r="5"
                  data-found={fake < round.you}
                />,
                <circle
                  key={`m${i}-${fake}`}
                  class="spot-strip-model"
                  cx={x}
                  cy={middle + offset}
                  r="5"
                  data-found={fake < round.model}
                />,
              ];
            }),
          )}
        </svg>
      )}
    </div>
  );
}
