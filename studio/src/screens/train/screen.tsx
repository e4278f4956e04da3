/** Screen "Train": watch a model learn. */
import { useWords } from '../../app/words.js';
import { useBackend } from '../../backend/backend.js';
import type { ScreenProps } from '../screen.js';
import { ServerScreen } from './serverScreen.js';
import { TabScreen } from './tabScreen.js';
import { WORDS } from './words.js';
import './train.css';

export function Screen(props: ScreenProps) {
  const t = useWords(WORDS);
  const { server } = useBackend();
  return (
    <>
      <h1 class="visually-hidden">{t.play}</h1>
      <p class="lead train-lead">{t.lead}</p>
      {server ? <ServerScreen {...props} server={server} /> : <TabScreen {...props} />}
    </>
  );
}
