import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandText, shellQuoted } from './shellQuoted.js';

describe('shellQuoted', () => {
  it.skipIf(process.platform === 'win32')('gives words that a shell reads back as they were', () => {
    const words = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, (given) => {
        const list = given.map((word) => word.replace(/[\0\r\n]|[\ud800-\udfff]/g, '?'));
        const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${list.map(shellQuoted).join(' ')}`], {
          encoding: 'utf8',
        });
        expect(stdout).toBe(list.map((word) => `${word}\n`).join(''));
      }),
      { numRuns: 40 },
    );
  });

  it('leaves plain words bare, and puts a text between double quotes where it can', () => {
    expect(['run/', '--model', 'notes.txt', 'the chef', "it's", 'a "b"', '', '$HOME'].map(shellQuoted)).toEqual([
      'run/',
      '--model',
      'notes.txt',
      '"the chef"',
      `"it's"`,
      `'a "b"'`,
      '""',
      "'$HOME'",
    ]);
  });
});

describe('commandText', () => {
  it('begins with npx where npx runs us', () => {
    const words = ['detect', 'the chef'];
    expect(commandText(words, {})).toBe('pleiad detect "the chef"');
    expect(commandText(words, { npm_lifecycle_event: 'npx', npm_lifecycle_script: "'pleiad'" })).toBe(
      'npx pleiad detect "the chef"',
    );
    expect(commandText(words, { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'vitest run' })).toBe(
      'pleiad detect "the chef"',
    );
  });
});
