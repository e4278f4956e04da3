import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { readConfigFile } from './configFile.js';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('a settings file', () => {
  it('is YAML or JSON', () => {
    const settings = { steps: 3, model: { hiddenSize: 64 }, out: 'run' };
    expect(readConfigFile(file('a.yaml', 'steps: 3 # few\nmodel: {hiddenSize: 64}\nout: run\n'))).toEqual(settings);
    expect(readConfigFile(file('a.json', JSON.stringify(settings)))).toEqual(settings);
    expect(readConfigFile(file('a.conf', JSON.stringify(settings)))).toEqual(settings);
    expect(readConfigFile(undefined)).toEqual({});
  });

  it.each([
    ['a list', '- steps\n', 'list.yaml', 'holds a list'],
    ['a list in JSON', '[1]', 'list.json', 'holds a list'],
    ['one word', 'steps\n', 'word.yaml', 'holds only "steps"'],
    ['nothing', '', 'empty.yaml', 'holds nothing'],
    ['only remarks', '# later\n', 'remarks.yaml', 'holds nothing'],
    ['half a list', 'steps: [1\n', 'open.yaml', 'is not YAML ('],
    ['two documents', 'steps: 1\n---\nsteps: 2\n', 'two.yaml', 'holds several documents'],
    ['a name twice', 'steps: 1\nsteps: 2\n', 'twice.yaml', 'is not YAML (Map keys must be unique at line 2, column 1)'],
    ['half an object', '{"steps": 1', 'open.json', 'is not JSON ('],
    ['nothing in JSON', '', 'empty.json', 'is not JSON ('],
    ['Latin-1', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9), 'latin1.yaml', 'is not UTF-8 text'],
  ])('with %s is named with what is wrong', (_, content, name, problem) => {
    const path = file(name, content);
    expect(() => readConfigFile(path)).toThrow(SettingsError);
    expect(() => readConfigFile(path)).toThrow(`--config ${path} ${problem}`);
    expect(() => readConfigFile(path)).toThrow('; expected a YAML or JSON file of settings, such as "steps: 10000"');
  });

  it('that is missing or a folder is named', () => {
    const path = join(folder, 'folder');
    mkdirSync(path);
    expect(() => readConfigFile(path)).toThrow(`--config ${path} is a folder; expected`);
    for (const missing of [join(path, 'none.yaml'), join(file('plain', ''), 'none.yaml')]) {
      expect(() => readConfigFile(missing)).toThrow(`--config ${missing} does not exist; expected`);
    }
  });
});
