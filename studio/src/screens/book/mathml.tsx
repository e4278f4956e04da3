/** The parts of formulas that occur again and again, as MathML. */
import type { ComponentChildren } from 'preact';

/** A name in italics; several letters stand upright. */
export const I = ({ children }: { readonly children: string }) => <mi>{children}</mi>;
export const N = ({ children }: { readonly children: string }) => <mn>{children}</mn>;
export const O = ({ children }: { readonly children: string }) => <mo>{children}</mo>;
/** A vector or matrix, in bold: browsers know no attribute for that, but letters. */
export const B = ({ children }: { readonly children: string }) => <mi mathvariant="normal">{boldLetter(children)}</mi>;

interface Pair {
  readonly of: ComponentChildren;
  readonly at: ComponentChildren;
}

export const Sub = ({ of, at }: Pair) => (
  <msub>
    <mrow>{of}</mrow>
    <mrow>{at}</mrow>
  </msub>
);

export const Sup = ({ of, at }: Pair) => (
  <msup>
    <mrow>{of}</mrow>
    <mrow>{at}</mrow>
  </msup>
);

export const Fraction = ({ of, at }: Pair) => (
  <mfrac>
    <mrow>{of}</mrow>
    <mrow>{at}</mrow>
  </mfrac>
);

export const Sum = ({ over, children }: { readonly over: ComponentChildren; readonly children: ComponentChildren }) => (
  <>
    <munder>
      <mo>∑</mo>
      <mrow>{over}</mrow>
    </munder>
    {children}
  </>
);

/** Mathematical bold: A is U+1D400, a is U+1D41A. */
function boldLetter(letter: string): string {
  const isSmall = letter >= 'a';
  return String.fromCodePoint(letter.charCodeAt(0) + (isSmall ? 0x1d41a - 97 : 0x1d400 - 65));
}
