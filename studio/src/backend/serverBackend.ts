/** The backend that computes on the Studio's server. */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { StudioCallName } from '../../../src/studio/studioCalls.js';
import type { Backend, CallInput, CallOptions, CallOutput, ComputePlace } from './backend.js';
import type { StudioServer } from './studioServer.js';

export class ServerBackend implements Backend {
  readonly server: StudioServer;

  constructor(server: StudioServer) {
    this.server = server;
  }

  async place(): Promise<ComputePlace> {
    const { threads } = await this.server.place();
    return { kind: 'server', device: 'native', threads };
  }

  models(): Promise<readonly StudioModelSummary[]> {
    return this.server.models();
  }

  async call<Name extends StudioCallName>(
    name: Name,
    input: CallInput<Name>,
    { signal }: CallOptions = {},
  ): Promise<CallOutput<Name>> {
    return (await this.server.call(name, input, signal)) as CallOutput<Name>;
  }
}
