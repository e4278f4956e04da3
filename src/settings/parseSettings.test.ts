import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeSettings, settingsFromWords } from './describeSettings.js';
import { parseSettings, withoutMentions } from './parseSettings.js';

const schema = z.strictObject({
  rate: z.number().gt(0).default(0.5).describe('A rate.'),
  names: z.array(z.enum(['a', 'b'])).optional(),
  size: z
    .strictObject({ width: z.number().int().min(1), depth: z.number().int().min(1) })
    .partial()
    .default({}),
  file: z.string().optional(),
});

describe('settings of any schema', () => {
  it('are read with their defaults, and what was given is known', () => {
    const parsed = parseSettings(schema, { size: { width: 2 } });
    expect(parsed).toMatchObject({ values: { rate: 0.5, size: { width: 2 } }, problems: [] });
    expect([...parsed.given]).toEqual(['size']);
  });

  it('keep what parses when something does not, and name every problem once', () => {
    const { values, problems, bad, given } = parseSettings(
      schema,
      { rate: -1, size: { width: 2, depth: 0, dept: 1, vocabulary: 5 }, names: ['a', 'c'], fil: 'x' },
      { notSettable: { vocabulary: 'it comes from the tokenizer' } },
    );
    expect(values).toEqual({ rate: 0.5, size: { width: 2 } });
    expect([...problems].sort()).toEqual([
      'fil is not a setting; did you mean file?',
      'names has "c"; expected one of a or b',
      'rate is -1; expected a number above 0',
      'size.dept is not a setting; did you mean depth?',
      'size.depth is 0; expected a whole number from 1',
      'size.vocabulary cannot be set; it comes from the tokenizer',
    ]);
    expect([...bad].sort()).toEqual(['names', 'rate', 'size.depth']);
    expect([...given].sort()).toEqual(['fil', 'size']);
  });

  it('say what is expected where the type says too little', () => {
    const expected = { file: 'a file of text' };
    expect(parseSettings(schema, { file: 3 }, { expected }).problems).toEqual(['file is 3; expected a file of text']);
    expect(parseSettings(schema, 'x').problems).toEqual(['the object of settings is "x"; expected names and values']);
  });

  it('leave out problems about settings that were out of range, told apart from longer names', () => {
    const problems = ['rate is 0.5 and file is set', 'rateStyle is fixed', 'model.rate is 1'];
    expect(withoutMentions(problems, new Set(['rate']))).toEqual(problems.slice(1));
  });

  it('are described, and come from words', () => {
    expect(describeSettings(schema).map(({ name, type }) => [name, type])).toEqual([
      ['rate', 'number'],
      ['names', 'list'],
      ['size', 'fields'],
      ['file', 'text'],
    ]);
    expect(settingsFromWords(schema, { rate: '1e-3', size: 'width=3, depth=x', file: '7', other: '1' })).toEqual({
      rate: 1e-3,
      size: { width: 3, depth: 'x' },
      file: '7',
      other: '1',
    });
  });
});
