import type { ConnectivityTest } from '../../src/api/index.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { failedExactly } from '../harness/postern.ts';

/** For each test, the names of the expectations that must have failed, and no other. */
export type Expected = Readonly<Record<string, readonly string[]>>;

export interface Stage {
  /** Waits until exactly the expected verdicts stand, showing the wait, then says what it means. Throws if they do not come. */
  expect(meaning: string, expected: Expected, show?: (tests: readonly ConnectivityTest[]) => string): Promise<void>;
}

export function createStage(kubectl: Kubectl, say: (text: string) => void): Stage {
  return {
    expect: async (meaning, expected, show) => {
      const start = performance.now();
      const progress = progressLine(say);
      const tests = await Promise.all(
        Object.entries(expected).map(([key, failed]) => {
          const [namespace = '', name = ''] = key.split('/');
          return failedExactly(kubectl, namespace, name, failed, (test) => progress(key, shownState(test)));
        }),
      );
      for (const test of tests) progress(`${test.metadata.namespace}/${test.metadata.name}`, shownState(test));
      const shown = show?.(tests);
      if (shown !== undefined) say(`\n${indented(shown)}\n`);
      say(`   as expected after ${((performance.now() - start) / 1000).toFixed(1)} s: ${meaning}`);
    },
  };
}

function shownState({ status }: ConnectivityTest): string {
  if (status?.summary === undefined) return 'probing';
  return `${status.summary.display} passed, ${status.summary.failed} failed, ${status.summary.inconclusive} inconclusive`;
}

/** Says a test's state whenever it has changed. */
function progressLine(say: (text: string) => void): (key: string, state: string) => void {
  const last = new Map<string, string>();
  return (key, state) => {
    if (last.get(key) === state) return;
    last.set(key, state);
    say(`   ${key}: ${state}`);
  };
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `   ${line}`)
    .join('\n');
}
