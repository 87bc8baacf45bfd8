/** Why a connection is allowed or denied, what is probably wrong if that was not meant, and the edit that cures it; pure. */
export { applyEdit, type Change, type Edit, objectReference, type ObjectReference } from './edit.ts';
export { explain, type ExplainedDirection, type Explanation, type RejectedRule } from './explain.ts';
export { type Finding, type FindingCode, findingCodes } from './finding.ts';
export type { Subject } from './scene.ts';
export type { Side } from './side.ts';
export { editLines, type PlaceInWords } from './snippet.ts';
export { explanationLines, placeOfFinding } from './words.ts';
