/** Chooses what computes: the Studio's server where the page came from one, else this tab. */
import { VERSION } from '../../../src/version.js';
import { parseAddress } from '../app/address.js';
import { storedValue, storeValue } from '../app/stored.js';
import { beginMeasuring } from './beginMeasuring.js';
import { EngineChoice } from './engineChoice.js';
import { type AdapterSource, findAdapter } from './gpuAdapter.js';
import { OwnModels } from './ownModels.js';
import { ServerBackend } from './serverBackend.js';
import { isServed, StudioServer, takeToken } from './studioServer.js';
import { TabBackend } from './tabBackend.js';
import { usableThreads } from './threads.js';

export function createBackend(): OwnModels {
  if (!isServed()) {
    const tab = new TabBackend(engineChoice());
    return new OwnModels(tab, () => tab);
  }
  let tab: TabBackend | undefined;
  const startTab = () => {
    tab ??= new TabBackend();
    return tab;
  };
  const server = new StudioServer(takeToken());
  return new OwnModels(new ServerBackend(server), startTab, server);
}

const STORED = 'engines';

function engineChoice(): EngineChoice {
  const { gpu } = navigator as unknown as { gpu?: AdapterSource };
  // For tests: `#/train?gpu=software` also measures a WebGPU that computes on the CPU.
  const allowSoftware = parseAddress(location.hash).state.gpu === 'software';
  return new EngineChoice({
    findAdapter: () => findAdapter(gpu, allowSoftware),
    build: `${usableThreads()} · ${VERSION} · ${navigator.userAgent}`,
    isSaving: savesData,
    begin: () => beginMeasuring(new URL('.', document.baseURI).href),
    recall: () => storedValue(STORED),
    remember: (value) => storeValue(STORED, value),
  });
}

/** As far as a browser tells: its own switch for saving data, or a connection by a mobile network. */
function savesData(): boolean {
  const { connection } = navigator as unknown as { connection?: { saveData?: boolean; type?: string } };
  const { saveData = false, type } = connection ?? {};
  return saveData || type === 'cellular' || matchMedia('(prefers-reduced-data: reduce)').matches;
}
