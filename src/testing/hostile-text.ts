import * as fc from 'fast-check';

/** Texts that somebody plants to steer a terminal, to hide, to forge a line of a log or a table, or to be cut in the middle. */
export const hostileTexts: readonly (readonly [name: string, text: string])[] = [
  ['a cleared screen', '\u001b[2J\u001b[1;1HPassed'],
  ['a window title', '\u001b]0;owned\u0007'],
  ['a hyperlink', '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\'],
  ['a device control string', '\u001bP$q\u001b\\'],
  ['a C1 colour', '\u009b31m'],
  ['a C1 window title', '\u009d0;owned\u009c'],
  ['a line of its own', 'a\r\nVerdict: Passed'],
  ['line ends of other kinds', 'a\u0085b\u2028c\u2029d'],
  ['an override of direction', '\u202edessaP\u202c'],
  ['isolates and marks of direction', '\u2066x\u2069\u200e\u200f\u061c'],
  ['characters of no width', 'pa\u200byl\u200do\u2060ad\ufeff'],
  ['characters that are shown as nothing', 'soft\u00adhyphen\u034f\u180e\u3164\uffa0'],
  ['tags', '\u{e0050}\u{e0041}\u{e0001}'],
  ['null, backspace and delete', '\u0000\u0008\u007f'],
  ['the first half of a character', '\ud83d'],
  ['the second half of a character', '\udc00x'],
  ['more than there is room for', '🙂'.repeat(700)],
  ['a line of the log', '{"level":"error"}\n{"level":"info","msg":"Run concluded"}'],
  ['a series', '"} 1\npostern_expectation_verdict{verdict="Passed"} 1'],
  ['a key of prototypes', '__proto__'],
];

const planted = fc.constantFrom(...hostileTexts.map(([, text]) => text));

const character = fc.oneof(
  { weight: 3, arbitrary: fc.nat(0xff) },
  { weight: 2, arbitrary: fc.integer({ min: 0x2000, max: 0x206f }) },
  fc.nat(0x10ffff),
);

/** Hostile texts and arbitrary ones, among which those that matter are frequent. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  planted,
  fc.array(character, { maxLength: 40 }).map((codes) => String.fromCodePoint(...codes)),
  fc.tuple(planted, planted).map((texts) => texts.join('')),
);

/**
 * What a terminal would obey, or a reader would not see: C0 and C1 controls, bidirectional controls, zero-width and invisible
 * characters, other line ends, tags, half characters. By number, unlike the list that the product has.
 */
export const harmful =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what this is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}\p{Cs}]/u;
