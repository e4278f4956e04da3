import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DataError } from '../errors/errors.js';
import { parseVersionedJson, type VersionedFormat } from './versionedJson.js';

const format: VersionedFormat<{ version: number; rows: number }> = {
  version: 2,
  schema: z.object({ version: z.number(), rows: z.number() }),
  advice: { damaged: 'Put it back from a copy', version: 'Use the version that wrote it' },
  migrate: ({ lines, ...rest }: { lines?: number }) => (lines === undefined ? rest : { ...rest, rows: lines }),
};
const parse = (text: string, changes: Partial<VersionedFormat<{ version: number; rows: number }>> = {}) =>
  parseVersionedJson(text, 'f.json', { ...format, ...changes });

describe('a versioned JSON file', () => {
  it('is read, an earlier form of it too', () => {
    expect(parse('{"version":2,"rows":3}')).toEqual({ version: 2, rows: 3 });
    expect(parse('{"version":2,"lines":3}')).toEqual({ version: 2, rows: 3 });
  });

  it.each([
    ['{', 'f.json is not JSON. Put it back from a copy'],
    ['null', 'f.json is of version undefined, expected 2. Use the version that wrote it'],
    ['{"version":1,"rows":3}', 'f.json is of version 1, expected 2. Use the version that wrote it'],
    ['{"version":2,"rows":"x"}', /^f\.json is damaged: rows: .*Put it back from a copy$/],
  ])('is refused with what to do: %s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('says its format, where it has one, and fails as its owner does', () => {
    const named = { format: 'pleiad-x', damaged: 'is no list', error: DataError };
    const parseOther = () => parse('{"format":"other","version":2}', named);
    expect(parseOther).toThrow(DataError);
    expect(parseOther).toThrow('f.json has format other 2, expected pleiad-x 2. Use the version that wrote it');
    expect(() => parse('{"format":"pleiad-x","version":2}', named)).toThrow(/^f\.json is no list: rows: /);
  });
});
