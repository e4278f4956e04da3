/** Built beside the page by a test: the backend of the tab, in the hands of the test. */
import { TabBackend } from '../../studio/src/backend/tabBackend.js';

declare global {
  interface Window {
    pleiadTab: TabBackend;
  }
}

window.pleiadTab = new TabBackend();
