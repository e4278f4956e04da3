/** A text with its marks as HTML: marks may overlap. */
import type { ExampleText } from '../report.js';
import { escapeMarkup } from './escapeMarkup.js';

export function markedText({ text, marks = [] }: ExampleText): string {
  const bounds = [...new Set([0, text.length, ...marks.flatMap(({ start, end }) => [start, end])])];
  bounds.sort((a, b) => a - b);
  return bounds
    .slice(1)
    .map((to, i) => {
      const own = marks.filter(({ start, end }) => start <= bounds[i] && end >= to);
      const piece = escapeMarkup(text.slice(bounds[i], to));
      if (own.length === 0) return piece;
      const kinds = [...new Set(own.map(({ kind }) => kind))].join(' ');
      const labels = own.flatMap(({ end, label }) => (end === to && label !== undefined ? [label] : []));
      return `<mark class="${kinds}">${piece}${labels.map((label) => `<sub>${escapeMarkup(label)}</sub>`).join('')}</mark>`;
    })
    .join('');
}
