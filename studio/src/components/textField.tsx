/** A sentence that can be rewritten in its place. It takes effect when it is left or Enter is pressed: half a sentence is none. */
import { useLanguage } from '../app/words.js';
import './textField.css';

export interface TextFieldProps {
  /** For a screen reader: the field shows what it is. */
  readonly label: string;
  readonly value: string;
  readonly maxLength?: number;
  change(text: string): void;
}

export function TextField({ label, value, maxLength = 2000, change }: TextFieldProps) {
  const language = useLanguage();
  return (
    <textarea
      // Another sentence from elsewhere takes the place of what was written here.
      key={value}
      class="text-field"
      rows={1}
      lang={language}
      aria-label={label}
      defaultValue={value}
      maxLength={maxLength}
      spellcheck={false}
      onKeyDown={(event) => {
        // While Hangul is composed, Enter ends the syllable.
        if (event.key !== 'Enter' || event.isComposing) return;
        event.preventDefault();
        event.currentTarget.blur();
      }}
      onBlur={(event) => {
        const text = event.currentTarget.value.replace(/\s+/g, ' ');
        if (text !== value) change(text);
      }}
    />
  );
}
