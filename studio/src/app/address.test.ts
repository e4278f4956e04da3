import { describe, expect, it } from 'vitest';
import { addressOf, changedState, parseAddress } from './address.js';

describe('the address', () => {
  it('holds a screen and its state, whatever characters are in it', () => {
    const address = { screen: 'electra', state: { text: 'a & b=c #1 한국어 100%?', masked: '1 2' } };
    expect(parseAddress(addressOf(address))).toEqual(address);
    expect(addressOf({ screen: 'ask', state: {} })).toBe('#/ask');
  });

  it('is read from what a reader may write', () => {
    expect(parseAddress('')).toEqual({ screen: '', state: {} });
    expect(parseAddress('#/')).toEqual({ screen: '', state: {} });
    expect(parseAddress('#electra')).toEqual({ screen: 'electra', state: {} });
    expect(parseAddress('#/spot?')).toEqual({ screen: 'spot', state: {} });
    expect(parseAddress('#/spot?a=%E0%A4%A&b')).toMatchObject({ screen: 'spot', state: { b: '' } });
  });

  it('loses a key that is undefined', () => {
    expect(changedState({ a: '1', b: '2' }, { a: undefined, c: '3' })).toEqual({ b: '2', c: '3' });
  });
});
