/** Name, screens, language and theme. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Screen } from '../screens/screen.js';
import { SCREENS } from '../screens/screens.js';
import { addressOf } from './address.js';
import { SHELL_WORDS } from './shellWords.js';
import { chooseTheme, storedTheme, THEMES } from './theme.js';
import { type Language, rememberLanguage, useLanguage, useWords } from './words.js';

interface HeaderProps {
  readonly current: Screen;
  chooseLanguage(language: Language): void;
  startTour(): void;
}

export function Header({ current, chooseLanguage, startTour }: HeaderProps) {
  const language = useLanguage();
  const t = useWords(SHELL_WORDS);
  const other: Language = language === 'en' ? 'ko' : 'en';
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the navigation scrolls sideways: the open screen is brought into view.
  useEffect(() => {
    const show = () => {
      const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
      if (link && nav.current) nav.current.scrollLeft = link.offsetLeft - nav.current.offsetLeft - 60;
    };
    show();
    addEventListener('resize', show);
    return () => removeEventListener('resize', show);
  }, [current.id, language]);
  return (
    <header class="header">
      <a class="header-name" href={addressOf({ screen: SCREENS[0].id, state: {} })}>
        <Mark />
        Pleiad
      </a>
      <nav ref={nav} aria-label={t.screens}>
        {SCREENS.map(({ id, title }) => (
          <a key={id} href={addressOf({ screen: id, state: {} })} aria-current={id === current.id ? 'page' : undefined}>
            {title[language].title}
          </a>
        ))}
      </nav>
      <div class="header-tools">
        {current.tour.length > 0 && (
          <button type="button" class="quiet header-tour" aria-label={t.tour} title={t.tour} onClick={startTour}>
            <span>{t.tour}</span>
          </button>
        )}
        <button
          type="button"
          class="quiet"
          lang={other}
          title={t.languageLabel}
          onClick={() => {
            rememberLanguage(other);
            chooseLanguage(other);
          }}
        >
          {t.language}
        </button>
        <ThemeButton />
      </div>
    </header>
  );
}

function ThemeButton() {
  const t = useWords(SHELL_WORDS);
  const [theme, setTheme] = useState(storedTheme);
  const index = THEMES.indexOf(theme);
  const next = THEMES[(index + 1) % THEMES.length];
  return (
    <button
      type="button"
      class="quiet"
      aria-label={t.themes[index]}
      title={t.themes[index]}
      onClick={() => {
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        <circle
          cx="10"
          cy="10"
          r="6.5"
          fill={theme === 'dark' ? 'currentColor' : 'none'}
          stroke="currentColor"
          stroke-width="1.6"
        />
        {theme === 'system' && <path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />}
        {theme === 'light' && <circle cx="10" cy="10" r="2.2" fill="currentColor" />}
      </svg>
    </button>
  );
}

/** Seven stars. */
function Mark() {
  return (
    <svg width="26" height="22" viewBox="0 0 26 22" fill="currentColor" aria-hidden="true">
      <circle cx="4" cy="13" r="2" />
      <circle cx="10" cy="8" r="2.6" />
      <circle cx="15" cy="13" r="3.2" />
      <circle cx="12" cy="17.5" r="1.5" />
      <circle cx="19" cy="6" r="1.8" />
      <circle cx="22.5" cy="12" r="1.4" />
      <circle cx="8" cy="3" r="1.2" />
    </svg>
  );
}
