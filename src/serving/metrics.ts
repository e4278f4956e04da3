/** Prometheus metrics under text-embeddings-inference's names, so that its boards and autoscalers read them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** As TEI has them: 35, each 1.5 times the one before, from 15 µs. */
const SECONDS = Array.from({ length: 35 }, (_, i) => 0.000015 * 1.5 ** i);
const TOKENS = Array.from({ length: 15 }, (_, i) => 2 ** i);

/** Milliseconds of a request's parts. */
export interface RequestTimes {
  readonly totalMs: number;
  readonly tokenizationMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #count = this.#counter('te_request_count', 'requests', ['method']);
  readonly #success = this.#counter('te_request_success', 'requests that were answered', ['method']);
  readonly #failure = this.#counter('te_request_failure', 'requests that were refused or failed', ['err']);
  readonly #inputLength = this.#histogram('te_request_input_length', 'tokens of a text', TOKENS);
  readonly #total = this.#histogram('te_request_duration', 'seconds of a request');
  readonly #tokenization = this.#histogram('te_request_tokenization_duration', 'seconds of counting tokens');
  readonly #queue = this.#histogram('te_request_queue_duration', 'seconds in the queue');
  readonly #inference = this.#histogram('te_request_inference_duration', 'seconds of the batch');
  readonly #batchSize = this.#histogram('te_batch_next_size', 'texts of a batch', TOKENS);
  readonly #batchTokens = this.#histogram('te_batch_next_tokens', 'tokens of a batch, padding included', TOKENS);

  /** @param queueSizes  requests that wait, by model, whenever it is asked */
  constructor(queueSizes: () => Iterable<readonly [model: string, size: number]>) {
    new Gauge({
      name: 'te_queue_size',
      help: 'requests that wait',
      labelNames: ['model'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [model, size] of queueSizes()) this.set({ model }, size);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  begin(method: string): void {
    this.#count.inc({ method });
  }

  succeed(method: string, { totalMs, tokenizationMs, queueMs, inferenceMs }: RequestTimes, lengths: readonly number[]) {
    this.#success.inc({ method });
    this.#total.observe(totalMs / 1000);
    this.#tokenization.observe(tokenizationMs / 1000);
    this.#queue.observe(queueMs / 1000);
    this.#inference.observe(inferenceMs / 1000);
    for (const length of lengths) this.#inputLength.observe(length);
  }

  fail(type: string): void {
    this.#failure.inc({ err: type });
  }

  batch(size: number, tokens: number): void {
    this.#batchSize.observe(size);
    this.#batchTokens.observe(tokens);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets = SECONDS): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }
}
