/** The shell: header, the screen that the address names, the tour, and where the page computes. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Backend, BackendContext } from '../backend/backend.js';
import { SCREENS } from '../screens/screens.js';
import { useAddress } from './address.js';
import { ErrorBoundary } from './errorBoundary.js';
import { Header } from './header.js';
import { Place } from './place.js';
import { SHELL_WORDS } from './shellWords.js';
import { TourGuide } from './tourGuide.js';
import { LanguageContext, languageOf, preferredLanguage } from './words.js';

export function App({ backend }: { readonly backend: Backend }) {
  const { screen: name, state, change } = useAddress();
  const screen = SCREENS.find(({ id }) => id === name) ?? SCREENS[0];
  const [chosen, choose] = useState(preferredLanguage);
  const language = languageOf(state.lang) ?? chosen;
  const [did, setDid] = useState<ReadonlySet<string>>(new Set());
  const note = useCallback(
    (what: string) => setDid((before) => (before.has(what) ? before : new Set(before).add(what))),
    [],
  );
  const [touring, tour] = useState<string>();
  const title = screen.title[language].title;

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `${title} · Pleiad Studio`;
  }, [language, title]);

  return (
    <LanguageContext.Provider value={language}>
      <BackendContext.Provider value={backend}>
        <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
          {SHELL_WORDS[language].skip}
        </button>
        <Header
          current={screen}
          startTour={() => tour(screen.id)}
          chooseLanguage={(next) => {
            choose(next);
            change({ lang: undefined });
          }}
        />
        <main id="main" tabIndex={-1} key={screen.id}>
          <ErrorBoundary>
            <screen.Component state={state} change={change} did={note} />
          </ErrorBoundary>
        </main>
        <Place />
        {touring === screen.id && <TourGuide steps={screen.tour} view={{ state, did }} close={() => tour(undefined)} />}
      </BackendContext.Provider>
    </LanguageContext.Provider>
  );
}
