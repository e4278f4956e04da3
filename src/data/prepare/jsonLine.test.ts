import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonProblem, parseJsonLine } from './jsonLine.js';

describe('a line of JSON', () => {
  it.each([
    ['{"a": NaN}', { a: null }],
    ['{"a": Infinity, "b": -Infinity}', { a: null, b: null }],
    ['[NaN,"NaN \\" Infinity",1]', [null, 'NaN " Infinity', 1]],
    ['NaN', null],
  ])('may have the numbers that Python adds: %s', (line, value) => {
    expect(parseJsonLine(line)).toEqual({ value });
  });

  it.each([
    ['{"text": "a" "b": 1}', 13, 'expected a comma or }, found "'],
    ["{'text': 'a'}", 1, "expected a name in double quotes or }, found '"],
    ['{"text": "a",}', 13, 'expected a name in double quotes, found }'],
    ['{"text": undefined}', 9, 'expected a value, found undefined'],
    ['{"text": \ufeff"a"}', 9, 'expected a value, found U+FEFF'],
    ['{"text": True}', 9, 'expected a value, found True'],
    ['{"text": 01}', 10, 'expected a comma or }, found 1'],
    ['{"text": "a"} {"text": "b"}', 14, 'expected the end of the record, found {'],
    ['{"text" "a"}', 8, 'expected a colon, found "'],
    ['{"text": "a\tb"}', 11, 'U+0009 must be escaped in a text'],
    ['{"text": "\\x"}', 10, '\\x is no escape of JSON'],
    ['{"text": [1, 2}', 14, 'expected a comma or ], found }'],
    ['{"a": “b”}', 6, 'expected a value, found “ (U+201C)'],
  ])('says where it is none and why: %s', (line, at, reason) => {
    expect(jsonProblem(line)).toEqual({ at, reason, isUnfinished: false });
    expect('problem' in parseJsonLine(line)).toBe(true);
  });

  it.each(['{"text"', '{"text": "a', '{"text": "a\\', '{"text": "a\\u00', '[', '{"a": [1,', ''])(
    'that ends too early is told from a wrong one: %s',
    (line) => {
      expect(jsonProblem(line)?.isUnfinished).toBe(true);
    },
  );

  it('is one exactly when JSON.parse takes it, however it is spoiled', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', ',', '}', '{', ']', ':', '\\', 'x', '0', '-', '.'),
        (json, at, put) => {
          const place = at % (json.length + 1);
          const line = json.slice(0, place) + put + json.slice(place + 1);
          const isJson = (() => {
            try {
              JSON.parse(line);
              return true;
            } catch {
              return false;
            }
          })();
          expect(jsonProblem(line) === undefined).toBe(isJson);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of every beginning of JSON, the place named is its end', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const line = json.slice(0, at % json.length);
        const problem = jsonProblem(line);
        if (problem && !/^-?$|[-.eE+]$|[a-z]$/.test(line)) {
          expect(problem.isUnfinished).toBe(true);
        }
      }),
    );
  });

  it('takes texts of any length', () => {
    const long = `{"text": "${'a\\n"'.slice(0, 3).repeat(3_000_000)}", "n": NaN}`;
    const parsed = parseJsonLine(long);
    expect('value' in parsed && (parsed.value as { text: string }).text.length).toBe(6_000_000);
    expect(jsonProblem(long.slice(0, -1))?.isUnfinished).toBe(true);
  });
});
