/** A sentence in which `*words between stars*` are stressed: so words stay plain text. */
export function Rich({ text }: { readonly text: string }) {
  return <>{text.split('*').map((part, i) => (i % 2 === 1 ? <b key={part}>{part}</b> : part))}</>;
}
