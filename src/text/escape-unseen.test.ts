import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmful, hostileText, hostileTexts } from '../testing/hostile-text.ts';
import { escapeUnseen } from './index.ts';

describe('escapeUnseen', () => {
  it.each(hostileTexts)('keeps %s and shows it in harmless characters', (_, text) => {
    const line = escapeUnseen(JSON.stringify({ text }));

    expect(line).not.toMatch(harmful);
    expect(JSON.parse(line)).toEqual({ text });
  });

  it('writes characters beyond the basic plane as two units, and leaves what is seen alone', () => {
    expect(escapeUnseen('"\u{e0041}\u009b größer 🙂"\n')).toBe('"\\udb40\\udc41\\u009b größer 🙂"\n');
  });

  it('replaces half characters that are not escaped', () => {
    expect(escapeUnseen('"\ud83d"')).toBe('"\ufffd"');
  });

  it('keeps any value', () => {
    fc.assert(
      fc.property(fc.dictionary(hostileText, hostileText), (value) => {
        const line = escapeUnseen(JSON.stringify(value));

        expect(line).not.toMatch(harmful);
        expect(JSON.stringify(JSON.parse(line))).toBe(JSON.stringify(value));
      }),
    );
  });
});
