import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { plainText } from './plain-text.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

describe('plainText', () => {
  it.each<{ scenario: string; text: string; want: string }>([
    { scenario: 'white space around what is not seen', text: 'a \u200b b', want: 'a b' },
    { scenario: 'harmless text stays as it is', text: 'Zugriff größer: 日本 🙂', want: 'Zugriff größer: 日本 🙂' },
    { scenario: 'line ends and tabs become spaces', text: 'a\r\nb\tc', want: 'a b c' },
    { scenario: 'colours go as a whole', text: '\u001b[1;31mred\u001b[0m', want: 'red' },
    { scenario: 'hyperlinks of terminals go', text: '\u001b]8;;http://evil\u0007click\u001b]8;;\u0007', want: 'click' },
    { scenario: 'an escape sequence without end goes as far as it is one', text: 'a\u001b[31', want: 'a[31' },
    { scenario: 'bells and null bytes go', text: 'a\u0007\u0000b', want: 'ab' },
    { scenario: 'C1 controls go', text: 'a\u009b31mb', want: 'a31mb' },
    { scenario: 'text that reverses text goes', text: 'user\u202eexe.txt\u2066x\u2069', want: 'userexe.txtx' },
    { scenario: 'what cannot be seen goes', text: 'a\u200bb\ufeffc\u{e0041}', want: 'ab c' },
    { scenario: 'half characters are replaced', text: 'a\ud83d', want: 'a\ufffd' },
  ])('$scenario', ({ text, want }) => {
    expect(plainText(text, 100)).toBe(want);
  });

  it.each<{ text: string; maxBytes: number; want: string }>([
    { text: 'abcdef', maxBytes: 6, want: 'abcdef' },
    { text: 'abcdefg', maxBytes: 6, want: 'abc…' },
    // Two bytes each: one more would be a byte too many.
    { text: 'ääääää', maxBytes: 8, want: 'ää…' },
    { text: '🙂🙂🙂', maxBytes: 8, want: '🙂…' },
  ])('cuts $text to $maxBytes bytes', ({ text, maxBytes, want }) => {
    expect(plainText(text, maxBytes)).toBe(want);
  });

  it('is short enough, well-formed, without controls, and a fixed point, whatever comes in', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)) }),
        fc.integer({ min: 3, max: 60 }),
        (text, maxBytes) => {
          const plain = plainText(text, maxBytes);

          expect(Buffer.byteLength(plain)).toBeLessThanOrEqual(maxBytes);
          expect(plain.isWellFormed()).toBe(true);
          expect(plain).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
          expect(plainText(plain, maxBytes)).toBe(plain);
        },
      ),
    );
  });
});
