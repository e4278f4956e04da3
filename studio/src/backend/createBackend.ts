/** Chooses what computes: the Studio's server where the page came from one, else this tab. */
import { OwnModels } from './ownModels.js';
import { ServerBackend } from './serverBackend.js';
import { isServed, StudioServer, takeToken } from './studioServer.js';
import { TabBackend } from './tabBackend.js';

export function createBackend(): OwnModels {
  let tab: TabBackend | undefined;
  const startTab = () => {
    tab ??= new TabBackend();
    return tab;
  };
  if (!isServed()) return new OwnModels(startTab(), startTab);
  const server = new StudioServer(takeToken());
  return new OwnModels(new ServerBackend(server), startTab, server);
}
