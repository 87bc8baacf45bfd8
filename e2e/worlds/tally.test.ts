import { expect, it } from 'vitest';

import { namespaceOf, podOf } from '../../src/policy/testing/builders.ts';
import type { Outcome } from '../../src/probe/index.ts';
import { type Basis, predict, type Prediction } from './prediction.ts';
import { agrees, describe, disagreementsAmong, type Finding, tallyOf } from './tally.ts';

const [some] = predict({ namespaces: [namespaceOf('a')], pods: [podOf('a/x'), podOf('a/y')] }, []);
if (some === undefined) throw new Error('two pods have cells');
const { cell, decision } = some;
const predicted = (basis: Basis, expected?: 'allow' | 'deny'): Prediction =>
  expected === undefined ? { cell, decision, basis } : { cell, decision, basis, expected };
const found = (prediction: Prediction, seen: Outcome, isLate = false): Finding => ({ prediction, seen, isLate });

it.each<['allow' | 'deny', Outcome, boolean]>([
  ['allow', 'Connected', true],
  ['allow', 'TimedOut', false],
  ['deny', 'TimedOut', true],
  ['deny', 'Connected', false],
  // Neither a connection nor what Cilium does with what it denies.
  ['deny', 'Refused', false],
  ['deny', 'ProbeLost', false],
  ['allow', 'ProbeLost', false],
])('a cell predicted %s and seen %s agrees: %s', (expected, seen, isAgreement) => {
  expect(agrees(predicted(expected, expected), seen)).toBe(isAgreement);
});

it('counts by what predictions rest on, and late and unanswered cells apart', () => {
  const findings = [
    found(predicted('allow', 'allow'), 'Connected'),
    found(predicted('allow', 'allow'), 'Connected', true),
    found(predicted('deny', 'deny'), 'TimedOut', true),
    found(predicted('deny', 'deny'), 'Connected'),
    found(predicted('open', 'deny'), 'TimedOut'),
    found(predicted('deviating', 'deny'), 'Connected'),
    found(predicted('open'), 'Connected'),
  ];

  expect(describe(tallyOf(findings))).toBe(
    '4 of 6 agree: allow 2/2, deny 1/2, open 1/1, deviating 0/1; 1 connected only when tried again; 1 were closed only when tried again; 1 without an answer',
  );
  expect(disagreementsAmong(findings)).toEqual([findings[3], findings[5]]);
});
