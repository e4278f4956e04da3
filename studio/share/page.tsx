/** The first line of a shared page. */
import { render } from 'preact';
import { App } from './app.js';
import { readPageData } from './payload.js';
import { startSession } from './session.js';
import '../src/look/tokens.css';
import '../src/look/base.css';
import './share.css';

const root = document.getElementById('app');
const data = readPageData();
if (root) render(<App data={data} session={startSession(data)} />, root);
