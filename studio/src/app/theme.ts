/** Light, dark, or what the system says. tokens.css holds both colours of each token, chosen by `color-scheme`. */
import { storedValue, storeValue } from './stored.js';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export function storedTheme(): Theme {
  const stored = storedValue('theme');
  return THEMES.find((theme) => theme === stored) ?? 'system';
}

export function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  storeValue('theme', theme);
  showTheme(theme);
}
