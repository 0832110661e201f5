/** 32 well-mixed bits of a 32-bit number (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The key of a text: the same in every process. */
export function keyOf(text: string): number {
  let key = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    key = mix(Math.imul(key ^ text.charCodeAt(index), 0x01000193));
  return key;
}

/** An independent key for one purpose, so that two questions about the same number do not get related answers. */
export function keyFor(key: number, purpose: string): number {
  return mix(key ^ keyOf(purpose));
}

/** 32 bits for a number of up to 53 bits, in [0, 2³²). */
export function hash(key: number, value: number): number {
  const high = Math.floor(value / 0x1_0000_0000) | 0;
  return mix(mix(key ^ Math.imul(value | 0, 0x9e3779b1)) ^ Math.imul(high, 0x27d4eb2f));
}

/** The same as a fraction in [0, 1). */
export function unit(key: number, value: number): number {
  return hash(key, value) / 0x1_0000_0000;
}
