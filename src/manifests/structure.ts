import type { Rule } from '../api/index.ts';
import { isValue, type Value } from './expression-functions.ts';
import { type Expression, expressionOf } from './expression.ts';
import { isRecord } from './read.ts';

/** A field that a schema refuses. */
export interface Misfit {
  /** Such as `spec.expectations[2].to.port`. */
  readonly path: string;
  /** What to write instead, without the path and without a full stop. */
  readonly message: string;
}

/** The part of JSON schema that structural schemas use (KEP-2335); anything else in a schema is passed over. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  readonly default?: unknown;
}

/**
 * Where a value departs from a structural schema: types, required and unknown fields, bounds, closed sets, list keys; and, as in
 * the API server only where all that fits, the schema's rules.
 */
export function misfitsOf(value: unknown, schema: object, path: string): readonly Misfit[] {
  const misfits: Misfit[] = [];
  examine(value, schema, path, misfits);
  if (misfits.length === 0) examineRules(value, schema, { path, misfits, compiled: new Map() });
  return misfits;
}

interface RuleScene {
  readonly path: string;
  readonly misfits: Misfit[];
  /** Each rule is read once, however many items of a list it is about. */
  readonly compiled: Map<string, Expression>;
}

function examineRules(value: unknown, schema: Schema, scene: RuleScene): void {
  if (!isValue(value)) return;
  const { path, misfits, compiled } = scene;
  const self = withDefaults(value, schema);
  for (const { rule, message, fieldPath: field = '' } of schema['x-kubernetes-validations'] ?? []) {
    if (!holds(rule, self, compiled)) misfits.push({ path: `${path}${field}`, message });
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      examineRules(item, schema.items ?? {}, { ...scene, path: `${path}[${index}]` });
  } else if (isRecord(value)) {
    for (const [name, member] of Object.entries(value)) {
      examineRules(member, schemaOf(name, schema) ?? {}, { ...scene, path: fieldPath(path, name) });
    }
  }
}

/** A rule that cannot be evaluated does not hold, as in the API server. */
function holds(rule: string, self: Value, compiled: Map<string, Expression>): boolean {
  try {
    const expression = compiled.get(rule) ?? expressionOf(rule);
    compiled.set(rule, expression);
    return expression(self) === true;
  } catch {
    return false;
  }
}

/** Fields of a map that are absent and have a default: the API server sets them before it looks at rules. */
function withDefaults(value: Value, schema: Schema): Value {
  if (!isRecord(value)) return value;
  const defaults = Object.entries(schema.properties ?? {}).flatMap(([name, { default: preset }]) =>
    preset === undefined ? [] : [[name, preset] as const],
  );
  const members = Object.entries(value).filter(([, member]) => member !== null);
  const inside = members.map(([name, member]) => {
    const ofField = schemaOf(name, schema);
    return [name, isValue(member) && ofField !== undefined ? withDefaults(member, ofField) : member] as const;
  });
  return Object.fromEntries([...defaults, ...inside]);
}

function schemaOf(name: string, { properties = {}, additionalProperties }: Schema): Schema | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}

function examine(value: unknown, schema: Schema, path: string, misfits: Misfit[]): void {
  const complain = (message: string): void => void misfits.push({ path, message });
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value !== 'string' && !Number.isInteger(value)) {
      complain(`write an integer or a string, not ${inWords(value)}`);
      return;
    }
  } else if (schema.type !== undefined && !hasType(value, schema.type)) {
    complain(wantedInWords(schema.type, value));
    return;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    complain(`write one of ${schema.enum.join(', ')}, not ${inWords(value)}`);
  }
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    if (value < minimum || value > maximum) complain(`write a number from ${minimum} to ${maximum}, not ${value}`);
  } else if (typeof value === 'string') {
    bounded('character', [...value].length, schema.minLength, schema.maxLength, complain);
  } else if (Array.isArray(value)) {
    examineList(value, schema, path, misfits);
  } else if (isRecord(value)) {
    examineMap(value, schema, path, misfits);
  }
}

function examineList(list: readonly unknown[], schema: Schema, path: string, misfits: Misfit[]): void {
  bounded('item', list.length, schema.minItems, schema.maxItems, (message) => misfits.push({ path, message }));
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const itemPath = `${path}[${index}]`;
    if (schema.items !== undefined) examine(item, schema.items, itemPath, misfits);
    const identity = keyOf(item, schema['x-kubernetes-list-type'], keys);
    if (identity === undefined) continue;
    if (seen.has(identity)) {
      const what = keys.length === 0 ? 'this value' : `another item with this \`${keys.join('`, `')}\``;
      misfits.push({ path: itemPath, message: `the list already has ${what}: make each unique` });
    }
    seen.add(identity);
  }
}

function keyOf(item: unknown, listType: string | undefined, keys: readonly string[]): string | undefined {
  if (listType === 'set') return JSON.stringify(item);
  return listType === 'map' && isRecord(item) ? JSON.stringify(keys.map((key) => item[key])) : undefined;
}

function examineMap(map: Readonly<Record<string, unknown>>, schema: Schema, path: string, misfits: Misfit[]): void {
  bounded('entry', Object.keys(map).length, undefined, schema.maxProperties, (message) =>
    misfits.push({ path, message }),
  );
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(map, name) || map[name] === null)
      misfits.push({ path, message: `the field \`${name}\` is missing: write it` });
  }
  for (const [name, value] of Object.entries(map)) {
    const ofField = schemaOf(name, schema);
    // A field that is null is one that is absent; a label that is null is a slip.
    const isAbsent = value === null && Object.hasOwn(schema.properties ?? {}, name);
    if (ofField !== undefined && !isAbsent) examine(value, ofField, fieldPath(path, name), misfits);
    else if (ofField === undefined && isClosed(schema)) {
      const names = Object.keys(schema.properties ?? {}).join(', ');
      misfits.push({ path: fieldPath(path, name), message: `there is no such field here; the fields are ${names}` });
    }
  }
}

function isClosed(schema: Schema): boolean {
  return schema.properties !== undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true;
}

function fieldPath(path: string, name: string): string {
  const step = /[.[\]]/.test(name) ? `[${name}]` : `.${name}`;
  return path === '' ? step.replace(/^\./, '') : `${path}${step}`;
}

function bounded(
  unit: string,
  count: number,
  least: number | undefined,
  most: number | undefined,
  complain: (message: string) => void,
): void {
  const plural = unit === 'entry' ? 'entries' : `${unit}s`;
  if (least !== undefined && count < least) complain(`write at least ${least} ${least === 1 ? unit : plural}`);
  if (most !== undefined && count > most) complain(`write at most ${most} ${most === 1 ? unit : plural}, not ${count}`);
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function wantedInWords(type: string, value: unknown): string {
  if (type === 'string' && (typeof value === 'boolean' || typeof value === 'number')) {
    return `write a string: put quotes around ${String(value)}, which YAML reads as a ${typeof value}`;
  }
  const wanted: Readonly<Record<string, string>> = {
    object: 'a map',
    array: 'a list',
    integer: 'an integer',
    boolean: 'true or false',
  };
  return `write ${wanted[type] ?? `a ${type}`}, not ${inWords(value)}`;
}

function inWords(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return JSON.stringify(value) ?? 'nothing';
}
