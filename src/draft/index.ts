/** First drafts for a person to review: tests from policies, and policies from tests, both confirmed by the policy model. */
export { draftPolicies, type DraftedPolicies } from './policies.ts';
export { type DraftedTest, draftTests } from './tests.ts';
export { type Written, yamlOf } from './text.ts';
