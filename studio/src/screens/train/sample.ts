/** The text that training begins with where the reader has none: four novels by A. Conan Doyle, of examples/text. */

import study from '../../../../examples/text/a-study-in-scarlet.txt.gz?url';
import hound from '../../../../examples/text/the-hound-of-the-baskervilles.txt.gz?url';
import lost from '../../../../examples/text/the-lost-world.txt.gz?url';
import valley from '../../../../examples/text/the-valley-of-fear.txt.gz?url';

export async function sampleText(): Promise<string> {
  const texts = await Promise.all([study, hound, valley, lost].map(async (url) => plainText(await fetch(url))));
  return texts.join('\n\n');
}

/** Some servers send a .gz file as a text that is compressed on the way, which the browser unpacks by itself. */
async function plainText(response: Response): Promise<string> {
  if (!response.ok) throw new Error(`the sample did not come: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(unpacked).text();
}
