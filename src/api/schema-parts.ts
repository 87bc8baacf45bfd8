import { Type, type TSchema, type TUnsafe } from 'typebox';

/** A CEL rule of a structural schema (KEP-2876); its message says what to write instead. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** The schema with these rules, an extension keyword of the CustomResourceDefinition, beside those that it has. */
export function withRules<T extends TSchema>(schema: T, rules: readonly Rule[]): T {
  const { 'x-kubernetes-validations': known = [] }: { 'x-kubernetes-validations'?: readonly Rule[] } = { ...schema };
  return { ...schema, 'x-kubernetes-validations': [...known, ...rules] };
}

/** A closed set of strings. A union of literals would not be structural (KEP-2335), so every enum goes through here. */
export function stringEnum<const T extends readonly string[]>(
  values: T,
  options: { readonly description: string; readonly default?: T[number] },
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
}

/** A label of RFC 1123, as names of objects and expectations are. */
export function dnsLabel(description: string, example: string, maxLength = 63): ReturnType<typeof Type.String> {
  return withRules(Type.String({ description, minLength: 1, maxLength }), [
    {
      rule: "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
      message: `use lower-case letters, digits and '-' only, beginning and ending with a letter or digit, such as "${example}"`,
    },
  ]);
}

/** A subdomain name of RFC 1123, as the names of workloads and pods are. */
export function objectName(description: string): ReturnType<typeof Type.String> {
  return withRules(Type.String({ description, minLength: 1, maxLength: 253 }), [
    {
      rule: "self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')",
      message: 'write the name of one Kubernetes object: lower-case letters, digits, "-" and "."',
    },
  ]);
}

/** Free text for people: bounded, one line, nothing that could steer a terminal. */
export function sentence(description: string, maxLength = 256): ReturnType<typeof Type.String> {
  return withRules(Type.String({ description, maxLength }), [
    { rule: "!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')", message: 'write one line of text without control characters' },
  ]);
}
