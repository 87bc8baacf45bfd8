import { UNSEEN } from './unseen.ts';

/**
 * JSON text with every character that a terminal would obey, or a reader would not see, in JSON's own notation: the same value
 * to a parser, harmless to whoever prints it. Line feeds stay, since in JSON text they stand between values only.
 */
export function escapeUnseen(json: string): string {
  return json
    .toWellFormed()
    .replace(UNSEEN, (character) => (character === '\n' ? character : escapeSequence(character)));
}

/** In code units of UTF-16, as JSON wants it (RFC 8259, 7). */
function escapeSequence(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16);
    return `\\u${unit.padStart(4, '0')}`;
  }).join('');
}
