import { describe, expect, it } from 'vitest';
import { parsePythonJson } from './pythonJson.js';

describe('JSON as Python writes it', () => {
  it('may have NaN and Infinity as numbers, and as words of a text', () => {
    const text = '\uFEFF{"a": NaN, "b": [-Infinity, Infinity], "NaN": "NaN, \\"Infinity\\"", "c": 1}';
    expect(parsePythonJson(text)).toEqual({
      a: Number.NaN,
      b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      NaN: 'NaN, "Infinity"',
      c: 1,
    });
  });

  it.each(['{"a": nan}', '{"a": NaNs}', '{"a": +Infinity}', '{a: 1}', ''])('is otherwise JSON, and not %j', (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
  });
});
