import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { xml } from './junit.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

it('makes an attribute of any text that holds nothing which XML cannot', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(fc.constantFrom('<', '&', '"', "'", '\u0000', '\ud800', '\uffff', ']]>'), fc.string()),
      }),
      (text) => {
        // oxlint-disable-next-line no-control-regex -- they are what XML cannot hold
        expect(xml(text)).not.toMatch(/[<>"'\u0000-\u001f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|apos);)/u);
      },
    ),
  );
});
