/** A shared page: its title, one text to put in, one button, and what the model says. */
import { useEffect, useState } from 'preact/hooks';
import type { SharedPageData } from '../../src/studio/sharedPageData.js';
import { LanguageContext, preferredLanguage } from '../src/app/words.js';
import { BackendError } from '../src/backend/backend.js';
import type { Ask } from './session.js';
import { AnswerTask } from './tasks/answers.js';
import { FillTask } from './tasks/fillings.js';
import { LabelTask } from './tasks/labels.js';
import { MarkTask } from './tasks/marks.js';
import { ProofreadTask } from './tasks/proofreading.js';
import { WORDS } from './words.js';

export interface TaskProps {
  readonly data: SharedPageData;
  readonly ask: Ask;
}

const TASKS = {
  ask: AnswerTask,
  classify: LabelTask,
  tag: MarkTask,
  proofread: ProofreadTask,
  fill: FillTask,
} as const;

export function App({ data, session }: { readonly data: SharedPageData; readonly session: Promise<Ask> }) {
  const [language, choose] = useState(preferredLanguage);
  const [started, setStarted] = useState<{ readonly ask?: Ask; readonly error?: Error }>({});
  const t = WORDS[language];
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    session.then(
      (ask) => setStarted({ ask }),
      (error: Error) => setStarted({ error }),
    );
  }, [session]);
  const Task = TASKS[data.task];
  // What is asked before the model is there waits for it.
  const ask: Ask = (name, input, signal) => session.then((started) => started(name, input, signal));
  return (
    <LanguageContext.Provider value={language}>
      <header class="share-head">
        <h1>{data.title}</h1>
        <button
          type="button"
          class="quiet"
          lang={language === 'en' ? 'ko' : 'en'}
          onClick={() => choose(language === 'en' ? 'ko' : 'en')}
        >
          {t.language}
        </button>
        <p class="lead">{t[`what_${data.task}`]}</p>
      </header>
      <main class="share-main">
        <Task data={data} ask={ask} />
        <p class="share-status" role="status">
          {!started.ask && !started.error && t.starting}
        </p>
        {started.error && <Failure error={started.error} />}
      </main>
      <footer class="share-foot">
        <p>{t.private}</p>
        <p>{t.made(data.version)}</p>
      </footer>
    </LanguageContext.Provider>
  );
}

export function Failure({ error }: { readonly error: Error }) {
  return (
    <div class="share-failure" role="alert">
      <p>{error.message}</p>
      {error instanceof BackendError && error.advice && <p>{error.advice}</p>}
    </div>
  );
}
