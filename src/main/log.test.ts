import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/index.ts';
import { harmful, hostileText, hostileTexts } from '../testing/hostile-text.ts';
import { createLog } from './log.ts';

/** What reaches the destination when this is logged. */
function written(fields: object, message = 'Reconciling failed; trying again'): string {
  const lines: string[] = [];
  createLog('info', { write: (line) => void lines.push(line) }).warn(fields, message);
  return lines.join('');
}

/** The fields in which the operator logs words of others. */
const fieldsWith = (text: string): readonly object[] => [
  { test: text },
  { namespace: text, pod: text, code: text },
  { err: new Error(text) },
  { err: new KubeError('Network', text, { cause: new Error(text) }) },
  { [text]: text },
];

describe('createLog', () => {
  it('writes one JSON object per line, with the level as a word', () => {
    const line = written({ run: 'x' });

    expect(JSON.parse(line)).toMatchObject({ level: 'warn', run: 'x', msg: 'Reconciling failed; trying again' });
    expect(line).toMatch(/^\{.*\}\n$/);
  });

  it.each(hostileTexts)('writes %s in one harmless line, whatever field it comes in', (_, text) => {
    for (const fields of fieldsWith(text)) {
      const line = written(fields);

      expect(line.slice(0, -1)).not.toMatch(harmful);
      expect(line).toMatch(/\}\n$/);
      expect(JSON.parse(line)).toMatchObject({ level: 'warn' });
    }
  });

  it('writes any text in one harmless line', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const fields of fieldsWith(text)) {
          const line = written(fields, text);

          expect(line.slice(0, -1)).not.toMatch(harmful);
          expect(() => JSON.parse(line)).not.toThrow();
        }
      }),
    );
  });
});
