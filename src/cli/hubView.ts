/** What is seen of a download: a bar on a terminal, and a line on standard error for what is worth knowing afterwards. */
import type { HubEvent, HubListener } from '../hub/events.js';
import { duration, megabytes } from './numbers.js';
import type { Output } from './output.js';

const BAR_WIDTH = 20;

export function hubView(output: Output, now: () => number = () => performance.now()): HubListener {
  let started: { readonly at: number; readonly from: number } = { at: 0, from: 0 };
  return (event) => {
    switch (event.type) {
      case 'start':
        started = { at: now(), from: event.resumedFrom };
        output.status(`${event.file}  ${event.bytes === undefined ? '' : size(event.bytes)}`);
        break;
      case 'progress':
        output.status(progressLine(event, started.from, now() - started.at));
        break;
      case 'checking':
        output.status(`${event.file}  checking its hash`);
        break;
      default:
        output.note(line(event));
    }
  };
}

function progressLine(
  { file, received, bytes }: Extract<HubEvent, { type: 'progress' }>,
  from: number,
  elapsedMs: number,
): string {
  const perMs = elapsedMs > 0 ? (received - from) / elapsedMs : 0;
  const rate = `${size(perMs * 1000)}/s`;
  if (!bytes) return `${file}  ${size(received)}  ${rate}`;
  const done = Math.round((BAR_WIDTH * received) / bytes);
  const bar = '█'.repeat(done) + '░'.repeat(BAR_WIDTH - done);
  const left = perMs > 0 ? `  ${duration((bytes - received) / perMs)} left` : '';
  return `${file}  ${bar}  ${Math.floor((100 * received) / bytes)} % of ${size(bytes)}  ${rate}${left}`;
}

function line(event: Exclude<HubEvent, { type: 'start' | 'progress' | 'checking' }>): string {
  switch (event.type) {
    case 'done':
      return `fetched ${event.file}: ${size(event.bytes)} in ${duration(event.elapsedMs)}`;
    case 'retry':
      return `${event.file}: ${event.reason}; trying again in ${duration(event.waitMs)}`;
    case 'waiting':
      return `${event.file}: another process is fetching it; waiting`;
    case 'cached':
      return `${event.repository}: using the cache (commit ${event.commit.slice(0, 12)}), because ${event.reason}`;
    case 'note':
      return event.text;
  }
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : megabytes(bytes);
}
