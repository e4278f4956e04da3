import { describe, expect, it } from 'vitest';
import { type ModelEvent, type ModelRunner, ServedModel } from './servedModel.js';
import { TestClock } from './testClock.js';

/** A model whose runners die when told to, and whose folder is a text. */
function servedModel() {
  const clock = new TestClock();
  const events: ModelEvent['type'][] = [];
  const runners: { die: () => void; isClosed: boolean }[] = [];
  const source = { files: 'a', fails: false };
  const model = new ServedModel<string>(
    'model',
    {
      describe: async () => `card of ${source.files}`,
      signature: () => source.files,
      start: async (): Promise<ModelRunner> => {
        if (source.fails) throw new Error('damaged');
        let die = () => {};
        const died = new Promise<Error>((resolve) => {
          die = () => resolve(new Error('dead'));
        });
        const runner = { die, isClosed: false };
        runners.push(runner);
        const name = `${runners.length}`;
        return {
          died,
          close: async () => {
            runner.isClosed = true;
          },
          run: async ({ requests }) => requests.map((inputs) => ({ results: inputs.map((text) => `${text}${name}`) })),
        };
      },
    },
    { maxBatchTokens: 100, maxBatchSize: 4, maxQueue: 8, maxWait: 0 },
    { ...clock, received: () => new Error(), onBatch: () => {}, onEvent: ({ type }) => events.push(type) },
  );
  const ask = (text: string) => {
    const work = { pipeline: 'fill-mask', options: {}, inputs: [text], lengths: [1] } as const;
    return model.run(work, new AbortController().signal).then(
      ({ results }) => results[0],
      (error: Error) => error.message,
    );
  };
  return { clock, events, runners, source, model, ask };
}

describe('a served model', () => {
  it('is loaded by its first request, which waits for that', async () => {
    const { model, ask, clock, runners } = servedModel();
    await model.describe();
    expect([model.card, model.state, runners.length]).toEqual(['card of a', 'unloaded', 0]);
    const answers = [ask('x'), ask('y')];
    await clock.settle();
    expect(await Promise.all(answers)).toEqual(['x1', 'y1']);
  });

  it('is started again at once when its runner dies, and later and later while it keeps dying', async () => {
    const { model, ask, clock, runners, events } = servedModel();
    await model.load();
    const waits: number[] = [];
    for (const _ of Array(5)) {
      runners[runners.length - 1].die();
      await clock.settle();
      const before = runners.length;
      let waited = 0;
      for (; runners.length === before && waited < 60_000; waited += 500) await clock.pass(waited === 0 ? 0 : 500);
      waits.push(waited - 500);
    }
    expect(waits).toEqual([0, 1000, 5000, 30_000, 30_000]);
    const answer = ask('x');
    await clock.settle();
    expect(await answer).toBe('x6');
    // It has worked, so the next death is the first again.
    runners[5].die();
    await clock.settle();
    await clock.pass(0);
    expect(runners).toHaveLength(7);
    expect(events.filter((type) => type === 'died')).toHaveLength(6);
  });

  it('takes over files only when two looks have seen the same', async () => {
    const { model, ask, clock, runners, source, events } = servedModel();
    await model.load();
    source.files = 'half';
    await model.look();
    source.files = 'whole';
    await model.look();
    expect(runners).toHaveLength(1);
    await model.look();
    expect([runners.length, runners[0].isClosed, model.card]).toEqual([2, true, 'card of whole']);
    const answer = ask('x');
    await clock.settle();
    expect(await answer).toBe('x2');
    await model.look();
    expect(events).toEqual(['loaded', 'reloaded']);
  });

  it('says why it does not load, and is tried again when its files have changed', async () => {
    const { model, ask, clock, source } = servedModel();
    source.fails = true;
    await model.load();
    expect([model.state, model.failure?.message]).toEqual(['failed', 'damaged']);
    expect(await ask('x')).toBe('the model "model" could not be loaded; /readyz says why');
    source.fails = false;
    await model.look();
    expect(model.state).toBe('failed');
    source.files = 'b';
    await model.look();
    await model.look();
    expect([model.state, model.failure]).toEqual(['ready', undefined]);
    const answer = ask('x');
    await clock.settle();
    expect(await answer).toBe('x1');
  });

  it('that is closed answers what it has and lets its runner go', async () => {
    const { model, ask, clock, runners } = servedModel();
    await model.load();
    const answer = ask('x');
    const closed = model.close();
    await clock.settle();
    await closed;
    expect([await answer, runners[0].isClosed, model.state]).toEqual(['x1', true, 'closed']);
    expect(await ask('y')).toContain('closed');
  });
});
