/** The page's last line: where it computes, and with how many threads. */
import { useBackend } from '../backend/backend.js';
import { usePending } from '../backend/useCall.js';
import { SHELL_WORDS } from './shellWords.js';
import { useWords } from './words.js';

export function Place() {
  const t = useWords(SHELL_WORDS);
  const backend = useBackend();
  const { value: place } = usePending('place', () => backend.place());
  if (!place) return null;
  const where = place.kind === 'tab' ? t.inTab : t.onServer;
  const how = place.device === 'webgpu' ? t.webgpu : t.threads(place.threads);
  return (
    <p class="place">
      {where} · {how} · {t.nothingLeaves}
    </p>
  );
}
