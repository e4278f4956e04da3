/** What an engine reports: a graph it cannot take, a provider that is not there, a run that failed. */
import { PleiadError } from '../errors/errors.js';

export class EngineError extends PleiadError {}
