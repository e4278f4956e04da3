/** A sentence in which `*words between stars*` are stressed and `L_MLM` has an index: so words stay plain text. */
export function Rich({ text }: { readonly text: string }) {
  return (
    <>{text.split('*').map((part, i) => (i % 2 === 1 ? <b key={part}>{withIndices(part)}</b> : withIndices(part)))}</>
  );
}

function withIndices(text: string) {
  return text.split(/_(\w+)/).map((part, i) => (i % 2 === 1 ? <sub key={part}>{part}</sub> : part));
}
