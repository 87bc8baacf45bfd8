/**
 * Characters that steer a terminal or hide from a reader, by the properties that Unicode gives them (UAX #44): C0 and C1 controls,
 * format characters (bidirectional ones, zero-width ones, tags), line and paragraph separators, and what is shown as nothing.
 * Variation selectors stay: emoji end in one.
 */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu;
