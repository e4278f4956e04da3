import { describe, expect, it } from 'vitest';
import { changedState, type ScreenState } from '../../app/address.js';
import { parseState, toggledMask, withText, withTyped } from './state.js';

const changed = (state: ScreenState, changes: Parameters<typeof changedState>[1]) =>
  parseState(changedState(state, changes), 'en');

describe('the state of the ELECTRA screen', () => {
  it('masks a token and shows it again', () => {
    const masked = changed({}, toggledMask(parseState({ masked: '4' }, 'en'), 1));
    expect(masked).toMatchObject({ masked: [1, 4], look: 1 });
    expect(changed({}, toggledMask(masked, 1)).masked).toEqual([4]);
    expect(changed({}, toggledMask(parseState({ masked: '4' }, 'en'), 4)).masked).toEqual([]);
  });

  it('keeps typed words, whatever is in them', () => {
    const one = changed({}, withTyped(parseState({}, 'en'), 2, ' a:b '));
    expect(one.typed).toEqual([{ index: 2, text: 'a:b' }]);
    const two = changed({}, withTyped(one, 0, '한국'));
    expect(two.typed).toEqual([
      { index: 2, text: 'a:b' },
      { index: 0, text: '한국' },
    ]);
    expect(changed({}, withTyped(two, 2, '')).typed).toEqual([{ index: 0, text: '한국' }]);
    expect(changed({ typed: '1:x', look: '1' }, withText('new'))).toMatchObject({
      text: 'new',
      typed: [],
      look: undefined,
    });
  });

  it('takes from an address only what can be', () => {
    const state = parseState(
      { masked: '3 x -1 3 900', typed: 'x|1:|2:ok', t: '99', draw: '<b>', lambda: 'NaN', threshold: '', look: '1e3' },
      'ko',
    );
    expect(state).toMatchObject({
      masked: [3],
      typed: [{ index: 2, text: 'ok' }],
      temperature: 3,
      draw: 1,
      lambda: 50,
      threshold: 0.5,
      look: undefined,
    });
    expect(parseState({ draw: 'best' }, 'en').draw).toBe('best');
  });
});
