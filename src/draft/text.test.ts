import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { yamlOf } from './index.ts';

describe('yamlOf', () => {
  it('puts comments above each document, and short maps into one line', () => {
    const written = yamlOf([
      {
        comments: ['One.', 'Two.'],
        object: { metadata: { name: 'a', namespace: 'b' }, spec: { policyTypes: ['Ingress'] } },
      },
      { comments: [], object: { kind: 'X' } },
    ]);

    expect(written).toBe(
      [
        '# One.',
        '# Two.',
        'metadata: { name: a, namespace: b }',
        'spec:',
        '  policyTypes: [ Ingress ]',
        '---',
        'kind: X',
      ].join('\n'),
    );
  });

  it('breaks a long comment, and lets none of it out of the comment', () => {
    const written = yamlOf([{ comments: [`${'word '.repeat(60)}\nkind: Secret\u001b[31m`], object: { kind: 'X' } }]);
    const lines = written.split('\n');

    expect(lines.filter((line) => !line.startsWith('# '))).toEqual(['kind: X']);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(written).not.toContain('\u001b');
  });

  // What kubectl's parser would take for something else.
  it.each(['y', 'on', 'NO', 'true', '0x1f', '0o17', '017', '1_000', '12:30', '1e3', '~', '', '2001-01-01', '.5', '='])(
    'quotes the text %j',
    (text) => {
      const written = yamlOf([{ comments: [], object: { [text]: text } }]);

      expect(parse(written, { version: '1.1' })).toEqual({ [text]: text });
      expect(parse(written)).toEqual({ [text]: text });
    },
  );

  it('means the same to parsers of either YAML, whatever the texts are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), (labels) => {
        const object = { metadata: { labels: { ...labels } } };
        const written = yamlOf([{ comments: [], object }]);

        for (const version of ['1.1', '1.2'] as const) {
          const [document] = parseAllDocuments(written, { version });
          expect(JSON.stringify(document?.toJS())).toBe(JSON.stringify(object));
        }
      }),
    );
  });
});
