import { stripTypeScriptTypes } from 'node:module';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repositoryPath } from '../harness/postern.ts';
import { families } from './families/index.ts';
import { patched, PatchError } from './patch.ts';

const traps = families.flatMap(({ name, traps }) => traps.map((trap) => ({ family: name, ...trap })));

describe('patched', () => {
  const patch = { file: 'a.ts', search: 'if (guard) stop();', replace: '' };

  it('replaces what is there once', () => {
    expect(patched('a; if (guard) stop(); b;', patch)).toBe('a;  b;');
  });

  it.each(['a; b;', 'if (guard) stop(); if (guard) stop();'])('refuses %j', (text) => {
    expect(() => patched(text, patch)).toThrow(PatchError);
  });
});

describe('traps', () => {
  it('have names of their own', () => {
    expect(new Set(traps.map(({ name }) => name)).size).toBe(traps.length);
  });

  it('tell a right verdict from a wrong one', () => {
    expect(traps.filter(({ right, wrong }) => right === wrong)).toEqual([]);
  });

  it.each(traps)('find the guard of "$name" where it stands', ({ guard, fault }) => {
    for (const patch of [guard, fault]) {
      if (patch === undefined) continue;
      const text = patched(readFileSync(repositoryPath(patch.file), 'utf8'), patch);
      if (patch.file.endsWith('.ts')) expect(() => stripTypeScriptTypes(text)).not.toThrow();
    }
  });
});
