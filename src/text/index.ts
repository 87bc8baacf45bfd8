/** Words of others made harmless, where they come in and where they go out. */
export { escapeUnseen } from './escape-unseen.ts';
export { plainText } from './plain-text.ts';
