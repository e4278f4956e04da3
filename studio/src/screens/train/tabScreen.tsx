/** Training in the tab. */
import { useEffect, useState } from 'preact/hooks';
import { addressOf } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { useBackend } from '../../backend/backend.js';
import { TAB_TRAINING_SETTINGS } from '../../backend/tabTrainingSettings.js';
import { saveBlob } from '../../components/saveFigure.js';
import type { ScreenProps } from '../screen.js';
import { EngineLine } from './engineLine.js';
import { folderZip } from './folderZip.js';
import { keepPastRun, type PastRun, pastRuns } from './pastRuns.js';
import { sampleText } from './sample.js';
import { choicesOf, LEAST_TEXT, Setup } from './setup.js';
import { type EnginesOfTraining, TabTraining } from './tabTraining.js';
import { type TrainingSetup, vocabularySizeFor } from './trainProtocol.js';
import type { TrainState } from './trainState.js';
import { TrainView } from './view.js';
import { WORDS } from './words.js';

/** What the model is called that was trained here. */
const MODEL_ID = 'my-electra';

/** One for the page: a training goes on while its reader looks at other screens. */
let training: TabTraining | undefined;

const WASM_ALONE: EnginesOfTraining = {
  deviceFor: () => 'wasm',
  measureOnce: async () => {},
  hushBefore: () => {},
  distrust: () => {},
};

/** @param engines  which of them trains; WebAssembly in a page that has no choice */
function theTraining(engines: EnginesOfTraining = WASM_ALONE): TabTraining {
  if (!training) {
    const worker = new Worker(new URL('./trainWorker.ts', import.meta.url), { type: 'module', name: 'pleiad-train' });
    const site = new URL('.', document.baseURI).href;
    training = new TabTraining({ port: worker, site, visibility: document, engines });
  }
  return training;
}

function useTraining(): [TabTraining, TrainState] {
  const running = theTraining(useBackend().engines);
  const [state, setState] = useState(running.state);
  useEffect(() => {
    setState(running.state);
    return running.listen(() => setState(running.state));
  }, [running]);
  return [running, state];
}

const SETTINGS = { ...TAB_TRAINING_SETTINGS, logEvery: 1, evaluateEvery: 100, checkpointEvery: 100 } as const;

export function TabScreen({ state: address, change, did }: ScreenProps) {
  const t = useWords(WORDS);
  const backend = useBackend();
  const [running, state] = useTraining();
  const [text, setText] = useState('');
  const [past, setPast] = useState<readonly PastRun[]>([]);
  const [startedAt, setStartedAt] = useState(() => new Date().toISOString());
  const over = new Set((address.over ?? '').split(',').filter((key) => key !== ''));
  const choices = choicesOf(address, text, []);
  useEffect(() => void pastRuns().then(setPast), []);
  const { status } = state;
  useEffect(() => {
    if (status === 'training') did('played');
    if (status === 'paused') did('paused');
    if (state.predicted.length > 1) did('predicted');
  }, [status, state.predicted.length, did]);

  const start = async () => {
    setStartedAt(new Date().toISOString());
    const isOwn = choices.source === 'own';
    const content = isOwn ? text : await sampleText();
    const setup: TrainingSetup = {
      text: content,
      source: isOwn ? 'own' : 'sample',
      vocabularySize: vocabularySizeFor(content),
      settings: { ...SETTINGS, steps: choices.steps },
    };
    running.start(setup);
  };
  const again = async () => {
    if (state.curves.evaluations.length > 0) setPast(await keepPastRun({ startedAt, curves: state.curves }));
    running.clear();
  };
  const openElectra = async () => {
    await backend.addModel?.(await running.models(MODEL_ID));
    did('opened');
    location.hash = addressOf({ screen: 'electra', state: { model: MODEL_ID } });
  };
  const download = async () => {
    saveBlob(`${MODEL_ID}.zip`, await folderZip(await running.models(MODEL_ID), MODEL_ID));
  };
  const layOver = (key: string, isOver: boolean) => {
    const keys = [...over].filter((each) => each !== key);
    change({ over: (isOver ? [...keys, key] : keys).join(',') || undefined });
  };

  return (
    <TrainView
      state={state}
      over={past.filter(({ startedAt: key }) => over.has(key)).map(({ curves }) => curves)}
      engine={<EngineLine device={state.device} />}
      setup={<Setup choices={choices} isServer={false} data={[]} change={change} setText={setText} />}
      canStart={choices.source !== 'own' || text.length >= LEAST_TEXT}
      start={() => void start()}
      pause={() => running.pause()}
      resume={() => running.resume()}
      restActions={
        <button type="button" class="secondary" onClick={() => void again()}>
          {t.again}
        </button>
      }
      results={
        <div class="train-results" data-tour="results">
          <button type="button" class="secondary" onClick={() => void openElectra()}>
            {t.openElectra}
          </button>
          <button type="button" class="quiet" onClick={() => void download()}>
            {t.download}
          </button>
        </div>
      }
      overlays={past.length > 0 && <Overlays past={past} over={over} layOver={layOver} />}
    />
  );
}

function Overlays(props: {
  readonly past: readonly PastRun[];
  readonly over: ReadonlySet<string>;
  layOver(key: string, isOver: boolean): void;
}) {
  const t = useWords(WORDS);
  return (
    <fieldset class="train-overlays">
      <legend>{t.overlay}</legend>
      {props.past.map(({ startedAt, curves }) => (
        <label key={startedAt}>
          <input
            type="checkbox"
            checked={props.over.has(startedAt)}
            onChange={({ currentTarget }) => props.layOver(startedAt, currentTarget.checked)}
          />
          {new Date(startedAt).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' })}
          {` · ${t.stepsText(String(curves.step))}`}
        </label>
      ))}
    </fieldset>
  );
}
