import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reasons } from './reasons.ts';
import { nextSteps, reasonsPage } from './reasons-page.ts';

const page = readFileSync(new URL('../../docs/reasons.md', import.meta.url), 'utf8');

describe('docs/reasons.md', () => {
  it('is what the reasons say', () => {
    expect(page).toBe(reasonsPage());
  });

  it.each(Object.entries(reasons))('has %s once, with what it means and what to do next', (name, meaning) => {
    const sections = page.split(/^## /m).filter((section) => section.startsWith(`${name}\n`));

    expect(sections).toHaveLength(1);
    expect(sections[0]?.toLowerCase()).toContain(meaning.toLowerCase());
    expect(sections[0]).toMatch(/\*\*Next:\*\* [A-Z].*\.\n/);
  });

  it('speaks of no reason that there is not', () => {
    expect(Object.keys(nextSteps).toSorted()).toEqual(Object.keys(reasons).toSorted());
  });
});
