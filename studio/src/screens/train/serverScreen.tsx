/** Training on the server, and the runs that it lists. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { RunSummary } from '../../../../src/studio/studioApi.js';
import { addressOf } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { type Backend, useBackend } from '../../backend/backend.js';
import type { StudioServer } from '../../backend/studioServer.js';
import { usePending } from '../../backend/useCall.js';
import { ErrorState, LoadingState } from '../../components/states.js';
import type { ScreenProps } from '../screen.js';
import { type Curves, NO_CURVES, withEvents } from './curves.js';
import { Runs } from './runs.js';
import { sampleText } from './sample.js';
import { ServerTraining } from './serverTraining.js';
import { type Choices, choicesOf, LEAST_TEXT, Setup } from './setup.js';
import { vocabularySizeFor } from './trainProtocol.js';
import { NOTHING, type TrainState } from './trainState.js';
import { TrainView } from './view.js';
import { WORDS } from './words.js';

const EMPTY: TrainState = { ...NOTHING, status: 'empty' };
const OFTEN = { evaluateEvery: 100, checkpointEvery: 100, logEvery: 5 };
/** Rows of 32 in many short steps for `tiny`; the larger sizes as the library has them. */
const settingsOf = ({ size, steps }: Choices) => ({
  size,
  steps,
  ...OFTEN,
  ...(size === 'tiny' && { length: 32, batchSize: 32 }),
});

export function ServerScreen(props: ScreenProps & { readonly server: StudioServer }) {
  const { server, state: address, change, did } = props;
  const t = useWords(WORDS);
  const backend = useBackend();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<Error>();
  const [isStarting, setStarting] = useState(false);
  const watched = address.run;
  const [running, state] = useRun(watched, server, backend);
  const { status } = state;
  // Asked again whenever the run that is watched begins, rests or ends.
  const known = usePending(`runs ${watched ?? ''} ${status}`, async () => ({
    runs: await server.runs(),
    data: await server.data(),
    place: await server.place(),
  }));
  const { runs = [], data = [], place } = known.value ?? {};
  const over = (address.over ?? '').split(',').filter((id) => id !== '');
  const curves = usePending(over.length > 0 ? over.join() : undefined, () =>
    Promise.all(over.map((id) => curvesOf(server, id))),
  );
  const choices = choicesOf(address, text, data);
  useEffect(() => {
    if (status === 'training') did('played');
    if (status === 'paused') did('paused');
  }, [status, did]);

  const start = async () => {
    setStarting(true);
    setProblem(undefined);
    try {
      const run = await server.start({
        name: choices.name || freeName(choices.size, runs),
        source: await sourceOf(choices, text),
        settings: settingsOf(choices),
      });
      change({ run: run.id, name: undefined });
    } catch (error) {
      setProblem(error as Error);
    } finally {
      setStarting(false);
    }
  };
  const layOver = (id: string, isOver: boolean) => {
    const ids = over.filter((each) => each !== id);
    change({ over: (isOver ? [...ids, id] : ids).join(',') || undefined });
  };

  if (known.error) return <ErrorState error={known.error} retry={known.retry} />;
  if (!known.value) return <LoadingState />;
  const shown: TrainState = isStarting ? { ...EMPTY, status: 'preparing' } : watched ? state : EMPTY;
  // The list is as of the last change of the status; in a run that trains, the first evaluation comes with a checkpoint.
  const isModel = state.curves.evaluations.length > 0 || runs.some(({ id, isModel }) => id === watched && isModel);
  return (
    <>
      <TrainView
        state={problem ? { ...shown, error: problem } : shown}
        over={over.length > 0 ? (curves.value ?? []) : []}
        setup={<Setup choices={choices} isServer data={data} change={change} setText={setText} />}
        canStart={
          choices.source === 'sample' || (choices.source === 'own' ? text.length >= LEAST_TEXT : choices.data !== '')
        }
        start={() => void start()}
        pause={() => void running?.pause()}
        resume={() => void running?.resume()}
        restActions={
          <>
            {status === 'finished' && (
              <button type="button" class="secondary" onClick={() => void running?.resume('10m')}>
                {t.goOnMore}
              </button>
            )}
            <button type="button" class="secondary" onClick={() => change({ run: undefined })}>
              {t.again}
            </button>
          </>
        }
        results={
          isModel &&
          watched && (
            <div class="train-results" data-tour="results">
              <button
                type="button"
                class="secondary"
                onClick={() => {
                  location.hash = addressOf({ screen: 'electra', state: { model: watched } });
                }}
              >
                {t.openElectra}
              </button>
              {place && <span class="train-note">{t.where(`${place.out}/${watched}`)}</span>}
            </div>
          )
        }
      />
      <Runs
        runs={runs.map((run) => (run.id === watched ? { ...run, step: Math.max(run.step, state.curves.step) } : run))}
        watched={watched}
        over={over}
        watch={(run) => change({ run, over: undefined })}
        layOver={layOver}
      />
    </>
  );
}

/** The run that the address names, watched while the screen is open. */
function useRun(
  id: string | undefined,
  server: StudioServer,
  backend: Backend,
): [ServerTraining | undefined, TrainState] {
  const [running, setRunning] = useState<ServerTraining>();
  const [state, setState] = useState<TrainState>(NOTHING);
  const predict = useCallback(
    (model: string, probes: TrainState['probes']) =>
      backend.call('predict-probes', { model, probes: probes.map((probe) => ({ ...probe })) }),
    [backend],
  );
  useEffect(() => {
    if (id === undefined) return;
    setState(NOTHING);
    const after = (ms: number, call: () => void) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    };
    const training = new ServerTraining(id, { server, predict, after }, setState);
    setRunning(training);
    return () => training.close();
  }, [id, server, predict]);
  return [running, state];
}

async function curvesOf(server: StudioServer, id: string): Promise<Curves> {
  const { events } = await server.events(id, undefined);
  return withEvents(NO_CURVES, events);
}

async function sourceOf({ source, data }: ReturnType<typeof choicesOf>, text: string) {
  if (source === 'data') return { data };
  const content = source === 'own' ? text : await sampleText();
  return { text: content, vocabularySize: vocabularySizeFor(content) };
}

/** `tiny-1`, `tiny-2`, … */
function freeName(size: string, runs: readonly RunSummary[]): string {
  const taken = new Set(runs.map(({ id }) => id));
  let number = 1;
  while (taken.has(`${size}-${number}`)) number++;
  return `${size}-${number}`;
}
