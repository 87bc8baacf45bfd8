import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import specification from '../api/connectivitytest.schema.json' with { type: 'json' };
import { expressionOf } from './expression.ts';
import { inventoryOf } from './inventory.ts';
import { readManifests } from './read.ts';

describe('an expression', () => {
  it.each<{ rule: string; self: object | string | number; want: unknown }>([
    { rule: '1 + 2 * 3 - 4 == 3', self: '', want: true },
    { rule: "self == 'a' || self == 'b' && self == 'c'", self: 'a', want: true },
    { rule: "(self == 'a' || self == 'b') && self == 'c'", self: 'a', want: false },
    { rule: "self == 'a' ? 1 : self == 'b' ? 2 : 3", self: 'b', want: 2 },
    { rule: "!has(self.a) || self.a.b == 'x'", self: {}, want: true },
    { rule: "!has(self.a) || self.a.b == 'x'", self: { a: { b: 'y' } }, want: false },
    { rule: 'has(self.a.b)', self: { a: { b: 0 } }, want: true },
    { rule: 'has(self.constructor)', self: {}, want: false },
    { rule: "self in ['a', 'b']", self: 'b', want: true },
    { rule: "self.matches('^[\\\\x00-\\\\x1f]$')", self: '\u0007', want: true },
    { rule: 'size(self.a) == 2', self: { a: [1, 2] }, want: true },
    { rule: 'type(self) == int', self: 8080, want: true },
    { rule: 'type(self) == int', self: 'http', want: false },
    { rule: 'self.lowerAscii()', self: 'ÄB', want: 'Äb' },
    { rule: 'isIP(self)', self: '010.0.0.1', want: false },
    { rule: 'isIP(self)', self: '::ffff:10.0.0.1', want: false },
    { rule: 'isIP(self)', self: 'fe80::1%eth0', want: false },
    { rule: 'string(ip(self))', self: 'FD00:EC2:0:0:0:0:0:254', want: 'fd00:ec2::254' },
    { rule: 'ip(self).isLoopback()', self: '127.8.0.1', want: true },
    { rule: 'ip(self).isLinkLocalUnicast()', self: 'febf::1', want: true },
    { rule: 'ip(self).isLinkLocalMulticast()', self: '224.0.1.1', want: false },
    { rule: 'isCIDR(self)', self: '10.0.0.0/33', want: false },
    { rule: 'isCIDR(self)', self: '10.0.0.0', want: false },
    { rule: 'isCIDR(self)', self: '010.0.0.0/8', want: false },
    { rule: 'isCIDR(self)', self: 'fd00::/64', want: true },
    { rule: "cidr('10.0.0.0/8').containsIP(self)", self: '10.255.0.1', want: true },
    { rule: "cidr('10.0.0.0/8').containsCIDR(self)", self: '10.0.0.0/8', want: true },
    { rule: "cidr('10.0.0.0/8').containsCIDR(self)", self: '8.0.0.0/6', want: false },
    { rule: 'self.exists(each, each > 2)', self: [1, 2], want: false },
    { rule: 'self.all(each, self.exists(other, each == other))', self: [1, 2], want: true },
  ])('$rule of $self is $want', ({ rule, self, want }) => {
    expect(expressionOf(rule)(self)).toBe(want);
  });

  it.each(['self.', '(self', "self == 'a", 'self ? 1', 'a b', '#', 'self ++'])('%s is refused', (rule) => {
    expect(() => expressionOf(rule)).toThrow();
  });

  it.each(['self.a == 1', 'unknown(self)', 'self && true'])('%s of a text fails when it is asked', (rule) => {
    const expression = expressionOf(rule);

    expect(() => expression('x')).toThrow();
  });

  it('can be made of every rule of the schema', () => {
    const rules = rulesOf(specification);

    expect(rules.length).toBeGreaterThan(20);
    for (const rule of rules) expect(() => expressionOf(rule)).not.toThrow();
  });
});

function rulesOf(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'rule' in schema && typeof schema.rule === 'string' ? [schema.rule] : [];
  return [...own, ...Object.values(schema).flatMap(rulesOf)];
}

describe('what the API server refuses', () => {
  const invalid = 'examples/invalid/';
  const errorsIn = (file: string): readonly string[] => {
    const { objects, problems } = readManifests({ file, text: readFileSync(file, 'utf8') });
    return [...problems, ...inventoryOf(objects, 'default').problems].map(({ message }) => message);
  };

  it.each(readdirSync(invalid))('is refused here too: %s', (name) => {
    const errors = errorsIn(invalid + name);

    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^(Cluster)?Connectivity(Test|Grant), spec/);
  });

  it('in the same words where a rule has them', () => {
    const said = errorsIn(`${invalid}source-missing.yaml`)[0];

    expect(said).toContain('name exactly one source: write either `workload: {kind: Deployment, name: web}`');
  });

  it('does not befall what it admits', () => {
    const folder = 'examples/three-tier/';
    const manifests = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(manifests.flatMap((name) => errorsIn(folder + name))).toEqual([]);
  });
});
