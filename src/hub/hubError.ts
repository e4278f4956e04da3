import { CheckpointError } from '../errors/errors.js';

/** What went wrong with the hub, for programs; the message says it for people. */
export type HubProblem =
  | 'repositoryNotFound'
  | 'revisionNotFound'
  | 'fileNotFound'
  /** The repository asks its readers for consent, or a token, first. */
  | 'gated'
  /** A token that is wrong or may not read this. */
  | 'refused'
  /** Nothing answers: no network, no such host, a time-out, a server that only gives errors. */
  | 'unreachable'
  /** Offline mode, and the cache does not hold it. */
  | 'offline'
  /** What arrived is not what the hub said it would be. */
  | 'damaged'
  /** The cache cannot be written. */
  | 'disk'
  /** A repository, revision or file name that cannot be one. */
  | 'name'
  /** An answer that no hub gives: something else sits at the address. */
  | 'protocol';

/** A model that could not be fetched by name. */
export class HubError extends CheckpointError {
  readonly problem: HubProblem;
  /** HTTP status, where there was an answer. */
  readonly status?: number;

  constructor(
    problem: HubProblem,
    message: string,
    details: ConstructorParameters<typeof CheckpointError>[1] & { status?: number } = {},
  ) {
    super(message, details);
    this.problem = problem;
    this.status = details.status;
  }
}
