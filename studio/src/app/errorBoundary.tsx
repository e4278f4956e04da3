/** Keeps the shell when a screen fails while it is drawn. */
import { Component, type ComponentChildren } from 'preact';
import { ErrorState } from '../components/states.js';

export class ErrorBoundary extends Component<{ children: ComponentChildren }, { error?: Error }> {
  override state: { error?: Error } = {};

  static override getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error) return <ErrorState error={error} retry={() => this.setState({ error: undefined })} />;
    return this.props.children;
  }
}
