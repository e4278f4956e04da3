/** Copies the address, which holds the state of the screen. */
import { useState } from 'preact/hooks';

export function CopyLink({ label, done }: { readonly label: string; readonly done: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button type="button" class="secondary" aria-live="polite" onClick={copy}>
      {copied ? done : label}
    </button>
  );
}
