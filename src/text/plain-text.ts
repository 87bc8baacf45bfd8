import { UNSEEN } from './unseen.ts';

/* oxlint-disable no-control-regex -- control characters are what this file is about */

// A whole escape sequence goes, not only its first byte: a bare "[31m" is noise too.
const TERMINAL_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const WHITE_SPACE_RUNS = /[\s\u0085]+/g;

const ELLIPSIS = '…';

/**
 * One line of text that is safe to show in a terminal, an event or a condition, at most `maxBytes` long as UTF-8 (the
 * API server counts bytes). Cuts between characters.
 */
export function plainText(text: string, maxBytes: number): string {
  const clean = text
    .toWellFormed()
    .replace(TERMINAL_SEQUENCES, '')
    .replace(WHITE_SPACE_RUNS, ' ')
    .replace(UNSEEN, '')
    // What was unseen may have stood between two of them.
    .replace(WHITE_SPACE_RUNS, ' ')
    .trim();
  if (Buffer.byteLength(clean) <= maxBytes) return clean;
  const budget = maxBytes - Buffer.byteLength(ELLIPSIS);
  let bytes = 0;
  let kept = '';
  for (const character of clean) {
    bytes += Buffer.byteLength(character);
    if (bytes > budget) break;
    kept += character;
  }
  return kept + ELLIPSIS;
}
