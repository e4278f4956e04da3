import { describe, expect, it } from 'vitest';
import { DataError, withSource } from './errors.js';

describe('an error about the content of a file', () => {
  const messageAt = (place: string, message: string) => {
    try {
      withSource(place, () => {
        throw new DataError(message, { advice: 'Mend it' });
      });
    } catch (error) {
      return (error as DataError).message;
    }
  };

  it('names the file, once', () => {
    expect(messageAt('v', 'vocabulary: "the" stands twice')).toBe('v: vocabulary: "the" stands twice. Mend it');
    expect(messageAt('v', 'v has no vocab.txt')).toBe('v has no vocab.txt. Mend it');
    expect(messageAt('a/v', 'a/v: tokenizer_class is "T5"')).toBe('a/v: tokenizer_class is "T5". Mend it');
  });

  it('is left alone when it is not ours', () => {
    const fail = () => {
      throw new RangeError('no');
    };
    expect(() => withSource('v', fail)).toThrow(new RangeError('no'));
  });
});
