/** The page's first line: theme before anything is drawn, then the shell. */
import { render } from 'preact';
import { App } from './app/app.js';
import { showTheme, storedTheme } from './app/theme.js';
import { createBackend } from './backend/createBackend.js';
import './look/tokens.css';
import './look/base.css';

showTheme(storedTheme());
const root = document.getElementById('app');
if (root) render(<App backend={createBackend()} />, root);
