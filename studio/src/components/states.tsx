/** What stands where there is nothing yet, something is on its way, or it failed. */
import type { ComponentChildren } from 'preact';
import { SHELL_WORDS } from '../app/shellWords.js';
import { useWords } from '../app/words.js';
import { BackendError, type Progress } from '../backend/backend.js';

export function EmptyState({ title, children }: { readonly title?: string; readonly children?: ComponentChildren }) {
  const t = useWords(SHELL_WORDS);
  return (
    <div class="state">
      <p class="state-title">{title ?? t.empty}</p>
      {children}
    </div>
  );
}

export function LoadingState({ progress }: { readonly progress?: Progress }) {
  const t = useWords(SHELL_WORDS);
  const text = progress ? (progress.what === 'engine' ? t.loadingEngine : t.loadingModel(progress.what)) : t.loading;
  return (
    <div class="state" role="status">
      <p>{text}</p>
      {progress?.totalBytes !== undefined && (
        <progress max={progress.totalBytes} value={progress.loadedBytes} aria-label={text} />
      )}
    </div>
  );
}

export function ErrorState({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const t = useWords(SHELL_WORDS);
  return (
    <div class="state" role="alert">
      <p class="state-title">{t.failed}</p>
      <p>{error.message}</p>
      {error instanceof BackendError && error.advice && <p>{error.advice}</p>}
      {retry && (
        <button type="button" class="secondary" onClick={retry}>
          {t.retry}
        </button>
      )}
    </div>
  );
}
