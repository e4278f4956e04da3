import { describe, expect, it } from 'vitest';
import { askScreenState, inSentence } from './askState.js';
import { SAMPLES } from './samples.js';

describe('the state of the screen', () => {
  it('begins with the sample and its first question', () => {
    const { text, question, isSample } = askScreenState({}, 'ko');
    expect(text).toBe(SAMPLES.ko.text);
    expect(question).toBe(SAMPLES.ko.questions[0]);
    expect(isSample).toBe(true);
  });

  it("asks nothing of a reader's own text until he does", () => {
    expect(askScreenState({ text: 'A chef cooks.' }, 'en')).toEqual({
      question: '',
      text: 'A chef cooks.',
      isSample: false,
    });
  });

  it('takes whatever an address holds', () => {
    expect(askScreenState({ threshold: 'x', window: '7' }, 'en')).not.toHaveProperty('threshold');
    expect(askScreenState({ threshold: '99', window: '128' }, 'en')).toMatchObject({
      threshold: 20,
      windowLength: 128,
    });
  });
});

describe('an answer in its sentence', () => {
  const text = 'It was built in 1838. The lamp was lit on 3 March 1845. It is old.';

  it('shows that sentence alone', () => {
    const start = text.indexOf('3 March 1845');
    expect(inSentence(text, start, start + 12, 'en')).toEqual({
      before: 'The lamp was lit on ',
      answer: '3 March 1845',
      after: '.',
    });
  });

  it('shows all sentences that it reaches over', () => {
    const start = text.indexOf('1838');
    expect(inSentence(text, start, text.indexOf('lamp') + 4, 'en').after).toBe(' was lit on 3 March 1845.');
  });
});
