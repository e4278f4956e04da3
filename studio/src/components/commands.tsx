/** Commands of the terminal to copy, such as those that make a model that a screen needs. */
import './commands.css';

export function Commands({ text }: { readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre class="commands" tabIndex={0}>
      {/* Browsers break a line after the hyphens of a flag. */}
      {text.split(/([ \n])/).map((word) => (word.length > 1 ? <span>{word}</span> : word))}
    </pre>
  );
}
