/**
 * Characters that change what a terminal shows or does instead of being shown: C0 but for tab and line feed, DEL, C1, and
 * the overrides of writing direction. A carriage return before a line feed is a line end.
 */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\r(?!\n)/g;

/**
 * Text from outside as it may go to a terminal: control characters are written as `\u001b`. That is how JSON writes them,
 * so a JSON document keeps its meaning.
 */
export function printable(text: string): string {
  return text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
