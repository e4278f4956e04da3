import { describe, expect, it } from 'vitest';
import { type Batch, type BatchLimits, BatchQueue, type Outcome, QueueClosed, QueueFull } from './batchQueue.js';
import { TestClock } from './testClock.js';

/** A queue before an engine that finishes a batch when told to; it answers each text in capitals. */
function queueWith(limits: Partial<BatchLimits> = {}) {
  const clock = new TestClock();
  const batches: {
    batch: Batch<string>;
    done: (outcomes?: Outcome<string>[]) => Promise<void>;
    fail: (error: Error) => Promise<void>;
  }[] = [];
  const sizes: [size: number, tokens: number][] = [];
  const queue = new BatchQueue<string, string>(
    { maxBatchTokens: 100, maxBatchSize: 4, maxQueue: 8, ...limits },
    {
      ...clock,
      onBatch: (...next) => sizes.push(next),
      run: (batch) =>
        new Promise((resolve, reject) => {
          const usual = () => batch.requests.map((inputs) => ({ results: inputs.map((text) => text.toUpperCase()) }));
          batches.push({
            batch,
            done(outcomes = usual()) {
              resolve(outcomes);
              return clock.settle();
            },
            fail(error) {
              reject(error);
              return clock.settle();
            },
          });
        }),
    },
  );
  /** A request for one text of so many tokens. */
  const ask = (text: string, length = 10, { key = 'k', signal }: { key?: string; signal?: AbortSignal } = {}) => {
    const answer = queue.add({ key, inputs: [text], lengths: [length] }, signal);
    answer.catch(() => {});
    return answer;
  };
  const texts = () => batches.map(({ batch }) => batch.requests.flat());
  return { queue, clock, batches, sizes, ask, texts };
}

describe('the queue before a model', () => {
  it('runs a lone request at once: there is no timer', async () => {
    const { ask, clock, batches, texts } = queueWith();
    const answer = ask('a');
    await clock.settle();
    expect(texts()).toEqual([['a']]);
    await batches[0].done();
    expect((await answer).results).toEqual(['A']);
  });

  it('takes what waits when the engine is free, and answers each its own', async () => {
    const { ask, clock, batches, texts } = queueWith();
    const first = ask('a');
    await clock.settle();
    const others = ['b', 'c', 'd'].map((text) => ask(text));
    clock.time = 7;
    await batches[0].done();
    expect(texts()).toEqual([['a'], ['b', 'c', 'd']]);
    clock.time = 10;
    await batches[1].done();
    expect((await first).results).toEqual(['A']);
    const answers = await Promise.all(others);
    expect(answers.map(({ results }) => results[0])).toEqual(['B', 'C', 'D']);
    expect(answers[0].times).toEqual({ queueMs: 7, inferenceMs: 3, batchSize: 3 });
  });

  it('begins the next batch before it answers the last', async () => {
    const { ask, clock, batches } = queueWith();
    const begunWhenAnswered = ask('a').then(() => batches.length);
    await clock.settle();
    ask('b');
    await batches[0].done();
    expect(await begunWhenAnswered).toBe(2);
  });

  describe('with one batch running', () => {
    const four = ['b', 'c', 'd', 'e'];

    it('hands over the next once that is as large, and no third', async () => {
      const { ask, clock, batches, texts, queue } = queueWith();
      ask('a');
      await clock.settle();
      clock.time = 1;
      const behind = four.slice(0, 3).map((text) => ask(text));
      await clock.settle();
      // Fewer than four gain more by waiting for others.
      expect(texts()).toEqual([['a']]);
      behind.push(ask('e'));
      for (const text of ['f', 'g', 'h', 'i']) ask(text);
      await clock.settle();
      expect([texts(), queue.running, queue.size]).toEqual([[['a'], four], 5, 4]);
      clock.time = 7;
      await batches[0].done();
      expect(texts()).toEqual([['a'], four, ['f', 'g', 'h', 'i']]);
      clock.time = 9;
      await batches[1].done();
      const answers = await Promise.all(behind);
      expect(answers.map(({ results }) => results[0])).toEqual(['B', 'C', 'D', 'E']);
      // It began when the one before it ended.
      expect(answers[0].times).toEqual({ queueMs: 6, inferenceMs: 2, batchSize: 4 });
    });

    it('waits for as many as run, but not for more than a batch may have', async () => {
      const { ask, clock, texts } = queueWith({ maxBatchSize: 8, maxBatchTokens: 1000, maxQueue: 20 });
      for (let i = 0; i < 6; i++) ask(`a${i}`);
      await clock.settle();
      for (let i = 0; i < 5; i++) ask(`b${i}`);
      await clock.settle();
      expect(texts()).toHaveLength(1);
      ask('b5');
      await clock.settle();
      expect(texts()[1]).toHaveLength(6);

      const alone = queueWith({ maxBatchSize: 1 });
      for (const text of four) alone.ask(text);
      await alone.clock.settle();
      expect(alone.texts()).toEqual([['b'], ['c']]);
    });

    it('runs what was handed over again, once, where the model ended before it', async () => {
      const { ask, clock, queue, batches, texts } = queueWith();
      const first = ask('a');
      await clock.settle();
      const controller = new AbortController();
      const behind = four.map((text) => ask(text, 10, { signal: text === 'c' ? controller.signal : undefined }));
      await clock.settle();
      controller.abort(new Error('gone'));
      // As a thread that ends: both are rejected, and whoever knows pauses the queue until there is another.
      const ended = new Error('the thread ended');
      const both = [batches[0].fail(ended), batches[1].fail(ended)];
      queue.pause();
      await Promise.all(both);
      await expect(first).rejects.toBe(ended);
      expect([queue.size, queue.running]).toEqual([3, 0]);
      queue.resume();
      await clock.settle();
      expect(texts()[2]).toEqual(['b', 'd', 'e']);
      await batches[2].fail(ended);
      await expect(behind[0]).rejects.toBe(ended);
      await expect(behind[1]).rejects.toThrow('gone');
      expect([queue.size, queue.running]).toEqual([0, 0]);
    });

    it('tells the model once nobody waits for what was handed over', async () => {
      const { ask, clock, batches } = queueWith();
      ask('a');
      await clock.settle();
      const controllers = four.map(() => new AbortController());
      for (const [i, text] of four.entries()) ask(text, 10, { signal: controllers[i].signal });
      await clock.settle();
      for (const controller of controllers) {
        expect(batches[1].batch.signal.aborted).toBe(false);
        controller.abort(new Error('gone'));
      }
      expect([batches[0].batch.signal.aborted, batches[1].batch.signal.aborted]).toEqual([false, true]);
    });
  });

  it('can be paused by whoever sees that a batch could not be run, before the next', async () => {
    const { queue, ask, clock, batches, texts } = queueWith();
    const first = ask('a').catch(() => queue.pause());
    await clock.settle();
    ask('b');
    await batches[0].fail(new Error('the thread ended'));
    await first;
    expect(texts()).toEqual([['a']]);
    queue.resume();
    await clock.settle();
    expect(texts()).toEqual([['a'], ['b']]);
  });

  it('counts padding: longest × texts stays within the budget', async () => {
    const { ask, clock, batches, texts, sizes } = queueWith({ maxBatchTokens: 60 });
    // 20 × 3 = 60 fits, a fourth of 20 would make 80.
    for (const text of ['a', 'b', 'c', 'd']) ask(text, 20);
    await clock.settle();
    await batches[0].done();
    expect(texts()).toEqual([['a', 'b', 'c'], ['d']]);
    expect(sizes).toEqual([
      [3, 60],
      [1, 20],
    ]);
  });

  it('runs a request beyond the budget by itself', async () => {
    const { ask, clock, batches, texts } = queueWith();
    ask('long', 5000);
    ask('short');
    await clock.settle();
    await batches[0].done();
    expect(texts()).toEqual([['long'], ['short']]);
  });

  it('puts similar lengths together, the shortest first, and the oldest request is in every batch', async () => {
    const { ask, clock, batches, texts } = queueWith({ maxBatchTokens: 1000 });
    ask('long', 100);
    ask('short', 5);
    ask('longer', 120);
    ask('shorter', 4);
    ask('medium', 60);
    await clock.settle();
    await batches[0].done();
    // 60 + 100 + 120 fill 78 % of 3 × 120; with one more, less than three quarters would be filled.
    expect(texts()).toEqual([
      ['medium', 'long', 'longer'],
      ['shorter', 'short'],
    ]);
  });

  it('lets half of a batch be padding where that is left out but in attention', async () => {
    const { queue, ask, clock, batches, texts } = queueWith({ maxBatchTokens: 1000 });
    queue.skipsPadding = true;
    ask('long', 120);
    ask('short', 5);
    ask('medium', 66);
    ask('middle', 57);
    await clock.settle();
    await batches[0].done();
    // 120 + 66 + 57 fill 68 % of 3 × 120; with the short one, 52 % of 4 × 120.
    expect(texts()).toEqual([['short', 'middle', 'medium', 'long']]);
    ask('long', 120);
    ask('shorter', 4);
    ask('short', 5);
    await clock.settle();
    await batches[1].done();
    expect(texts().slice(1)).toEqual([['short', 'long'], ['shorter']]);
  });

  it('runs together only what asks the same with the same options', async () => {
    const { ask, clock, batches, texts } = queueWith();
    ask('a', 10, { key: 'one' });
    ask('b', 10, { key: 'two' });
    ask('c', 10, { key: 'one' });
    await clock.settle();
    await batches[0].done();
    expect(texts()).toEqual([['a', 'c'], ['b']]);
    expect(batches.map(({ batch }) => batch.key)).toEqual(['one', 'two']);
  });

  it('keeps the texts of one request together', async () => {
    const { queue, clock, batches, texts } = queueWith();
    const many = queue.add({ key: 'k', inputs: ['a', 'b', 'c'], lengths: [1, 1, 1] });
    const more = queue.add({ key: 'k', inputs: ['d', 'e'], lengths: [1, 1] });
    await clock.settle();
    await batches[0].done();
    await batches[1].done();
    expect(texts()).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    expect((await many).results).toEqual(['A', 'B', 'C']);
    expect((await more).results).toEqual(['D', 'E']);
  });

  it('waits for company where that is asked, until the oldest has waited or the batch is full', async () => {
    const { ask, clock, batches, texts } = queueWith({ maxWaitMs: 5 });
    ask('a');
    await clock.settle();
    expect(texts()).toEqual([]);
    await clock.pass(4);
    ask('b');
    await clock.settle();
    expect(texts()).toEqual([]);
    await clock.pass(1);
    expect(texts()).toEqual([['a', 'b']]);
    await batches[0].done();
    for (const text of ['c', 'd', 'e', 'f']) ask(text);
    await clock.settle();
    expect(texts()).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e', 'f'],
    ]);
  });

  it('refuses what finds no place, and says how many wait', async () => {
    const { ask, clock, queue } = queueWith({ maxQueue: 2 });
    ask('running');
    await clock.settle();
    ask('a');
    ask('b');
    const refused = await ask('c').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(QueueFull);
    expect(refused).toMatchObject({ waiting: 2 });
    expect(queue.size).toBe(2);
  });

  it('drops a cancelled request that waits, and tells the engine once nobody waits for what runs', async () => {
    const { ask, clock, batches, texts, queue } = queueWith();
    const [first, second, waiting] = Array.from({ length: 3 }, () => new AbortController());
    const answers = [ask('a', 10, first), ask('b', 10, second)];
    await clock.settle();
    const dropped = ask('c', 10, waiting);
    const kept = ask('d');
    waiting.abort(new Error('gone'));
    await expect(dropped).rejects.toThrow('gone');
    expect(queue.size).toBe(1);
    first.abort(new Error('gone'));
    expect(batches[0].batch.signal.aborted).toBe(false);
    second.abort(new Error('gone'));
    expect(batches[0].batch.signal.aborted).toBe(true);
    await batches[0].done();
    await batches[1].done();
    expect(texts()).toEqual([['a', 'b'], ['d']]);
    expect((await kept).results).toEqual(['D']);
    for (const answer of answers) await expect(answer).rejects.toThrow('gone');
  });

  it('gives a bad request its own error and the others of its batch their results', async () => {
    const { ask, clock, batches } = queueWith();
    const [good, bad] = [ask('good'), ask('bad')];
    await clock.settle();
    await batches[0].done([{ results: ['GOOD'] }, { error: new Error('bad text') }]);
    expect((await good).results).toEqual(['GOOD']);
    await expect(bad).rejects.toThrow('bad text');
  });

  it('goes on after a batch whose engine failed', async () => {
    const { ask, clock, batches } = queueWith();
    const failed = ask('a');
    await clock.settle();
    const next = ask('b');
    await batches[0].fail(new Error('the thread ended'));
    await expect(failed).rejects.toThrow('the thread ended');
    await batches[1].done();
    expect((await next).results).toEqual(['B']);
  });

  it('drains: answers what was accepted, refuses what comes after', async () => {
    const { ask, clock, batches, queue } = queueWith({ maxWaitMs: 1000 });
    const accepted = [ask('a'), ask('b', 60)];
    let isClosed = false;
    const closed = queue.close().then(() => {
      isClosed = true;
    });
    await expect(ask('late')).rejects.toBeInstanceOf(QueueClosed);
    // Nobody waits for company any more.
    await clock.settle();
    await batches[0].done();
    expect(isClosed).toBe(false);
    await batches[1].done();
    await closed;
    expect((await Promise.all(accepted)).map(({ results }) => results[0])).toEqual(['A', 'B']);
  });

  it('holds what comes while it is paused', async () => {
    const { ask, clock, queue, batches, texts } = queueWith();
    const running = ask('a');
    await clock.settle();
    queue.pause();
    let isSettled = false;
    const settled = queue.settled().then(() => {
      isSettled = true;
    });
    const held = ask('b');
    await clock.settle();
    expect([texts(), isSettled]).toEqual([[['a']], false]);
    await batches[0].done();
    await settled;
    expect((await running).results).toEqual(['A']);
    expect(texts()).toEqual([['a']]);
    queue.resume();
    await clock.settle();
    await batches[1].done();
    expect((await held).results).toEqual(['B']);
  });

  it('answers every request exactly once, whatever comes and goes', async () => {
    const { queue, clock, batches } = queueWith({ maxQueue: 1000, maxBatchSize: 7 });
    let [settledTwice, answered] = [0, 0];
    const controllers: AbortController[] = [];
    const answers = Array.from({ length: 300 }, (_, i) => {
      const controller = new AbortController();
      controllers.push(controller);
      let isSettled = false;
      const count = (kind: string) => {
        if (isSettled) settledTwice++;
        isSettled = true;
        answered++;
        return kind;
      };
      const work = { key: `k${i % 3}`, inputs: [`t${i}`], lengths: [1 + ((i * 37) % 90)] };
      return queue.add(work, controller.signal).then(
        ({ results }) => count(results[0]),
        () => count('cancelled'),
      );
    });
    for (let round = 0; ; round++) {
      await clock.settle();
      if (round < 60) controllers[round * 5].abort(new Error('gone'));
      const next = batches[round];
      if (!next) break;
      await next.done();
    }
    const kinds = await Promise.all(answers);
    expect([answered, settledTwice, queue.size, queue.running]).toEqual([300, 0, 0, 0]);
    for (const [i, kind] of kinds.entries()) expect(['cancelled', `T${i}`]).toContain(kind);
    // Whoever cancelled after its answer came has the answer.
    expect(kinds.filter((kind) => kind === 'cancelled').length).toBeGreaterThan(5);
  });
});
