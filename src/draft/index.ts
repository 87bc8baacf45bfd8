/** First drafts for a person to review: tests from policies, and policies from tests, both confirmed by the policy model. */
export { draftTests, type DraftedTests } from './tests.ts';
export { type Written, yamlOf } from './text.ts';
