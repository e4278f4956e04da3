import { describe, expect, it } from 'vitest';
import { nearestName } from './nearestName.js';

describe('the nearest name', () => {
  it('is found across case, dashes and a slip of the finger, and not for anything else', () => {
    expect(nearestName('mask-prob', ['maskProb', 'length'])).toBe('maskProb');
    expect(nearestName('lenght', ['maskProb', 'length'])).toBe('length');
    expect(nearestName('colour', ['maskProb', 'length'])).toBeUndefined();
  });
});
