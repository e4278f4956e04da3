/** The text that the reader puts in, a question where there is one, and the button. */
import type { ComponentChildren } from 'preact';
import { useWords } from '../../src/app/words.js';
import { Failure } from '../app.js';
import { WORDS } from '../words.js';

export interface TextFormProps {
  readonly text: string;
  readonly action: string;
  readonly isRunning: boolean;
  readonly error?: Error;
  readonly lang: string;
  setText(text: string): void;
  go(): void;
  /** Stands between the text and the button. */
  readonly children?: ComponentChildren;
}

export function TextForm({ text, action, isRunning, error, lang, setText, go, children }: TextFormProps) {
  const t = useWords(WORDS);
  return (
    <form
      class="share-form"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <label class="share-field">
        <span>{t.text}</span>
        <textarea
          lang={lang}
          rows={5}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            go();
          }}
        />
      </label>
      {children}
      <p class="share-go">
        <button type="submit" class="primary" disabled={text.trim() === ''}>
          {action}
        </button>
        <span role="status">{isRunning && t.working}</span>
      </p>
      {error && <Failure error={error} />}
    </form>
  );
}
