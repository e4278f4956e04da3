/**
 * A 128-bit fingerprint of text as 32 hexadecimal digits: four FNV-1a lanes (different offset bases, the FNV prime) over
 * the UTF-16 units, each finished with MurmurHash3's 32-bit mixer over all four. It tells vocabularies apart, the same on
 * every platform and without waiting, which WebCrypto's digests cannot; it does not guard against forgery.
 */
export function contentHash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x2f0b4a27;
  let c = 0x6b43a9b5;
  let d = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (unit + a), 0x01000193);
    c = Math.imul(c ^ (unit + (b >>> 7)), 0x01000193);
    d = Math.imul(d ^ (unit + (c >>> 13)), 0x01000193);
  }
  return [a ^ text.length, b ^ a, c ^ b, d ^ c].map((lane) => mix(lane).toString(16).padStart(8, '0')).join('');
}

function mix(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return (lane ^ (lane >>> 16)) >>> 0;
}
