import * as fc from 'fast-check';
import { hostileText } from '../../../src/testing/hostile-text.ts';

/** Any JSON; a specification before and after somebody spoilt it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The part of a structural schema that says which fields there are. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly type?: string;
  readonly enum?: readonly string[];
}

/** Values that a person gets wrong, and that two readers of one rule easily read differently. */
const suspiciousTexts = [
  '10.0.0.1 010.0.0.1 10.1 0.0.0.0 127.0.0.1 169.254.169.254 100.100.100.200 224.0.0.5 255.255.255.255',
  ':: ::1 fe80::1 fe80::1%eth0 FD00:EC2::254 ff02::1 ::ffff:10.0.0.1 64:ff9b::a9fe:a9fe 2001:DB8::0001',
  '10.0.0.0/8 10.0.0.1/8 10.0.0.0/08 10.0.0.0/33 0.0.0.0/0 127.0.0.0/8 fd00::/8 fd00::/129 ::ffff:10.0.0.0/104',
  'localhost LOCALHOST. a.localhost example.com example.com. example..com a.0x7f 1.2.3 http://example.com',
  `web http HTTP 8080 a--b -a a- ä ${'a'.repeat(15)} ${'a'.repeat(16)} ${'a'.repeat(64)}`,
  '/ /healthz /%20 healthz /a?b=c#d 7069 706 0x70 Allow Deny TCP UDP SCTP Same 1',
]
  .flatMap((words) => words.split(' '))
  .concat('', ' ', '/ ');
const suspiciousNumbers = [-1, 0, 1, 53, 80, 8080, 65_535, 65_536, 1.5, 100, 599, 600, 86_400, 2 ** 31, 2 ** 53, 1e21];
const strangeNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'Expect',
  'spec',
  'namespace ',
  '',
];

const anything: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...suspiciousTexts) },
  { weight: 4, arbitrary: fc.constantFrom(...suspiciousNumbers) },
  { weight: 2, arbitrary: hostileText },
  fc.constantFrom<Json>(null, true, false, [], {}, [[]], { '': '' }),
);

/** What somebody might write for a field of this schema: mostly of its type, not always within its bounds. */
function valueFor(
  { properties, additionalProperties, items, type, enum: words }: Schema,
  depth = 0,
): fc.Arbitrary<Json> {
  const fitting = (): fc.Arbitrary<Json> => {
    if (words !== undefined) return fc.constantFrom(...words);
    if (type === 'boolean') return fc.boolean();
    if (type === 'integer') return fc.oneof(fc.integer({ min: 0, max: 700 }), fc.constantFrom(...suspiciousNumbers));
    if (type === 'string') return fc.oneof(fc.constantFrom(...suspiciousTexts), hostileText);
    if (type === 'array') return fc.array(valueFor(items ?? {}, depth + 1), { maxLength: 3 });
    if (properties !== undefined) {
      const fields = Object.entries(properties).map(([name, each]) => [name, valueFor(each, depth + 1)] as const);
      return fc
        .subarray(fields)
        .chain((some) => fc.tuple(...some.map(([name, value]) => fc.tuple(fc.constant(name), value))))
        .map(Object.fromEntries);
    }
    if (additionalProperties !== undefined) {
      return fc.dictionary(
        fc.constantFrom(...suspiciousTexts, ...strangeNames),
        valueFor(additionalProperties, depth + 1),
        { maxKeys: 3 },
      );
    }
    return anything;
  };
  return depth > 4 ? anything : fc.oneof({ weight: 8, arbitrary: fitting() }, { weight: 1, arbitrary: anything });
}

type Path = readonly (string | number)[];

/** One change to a value: at a place in it, a field is left out, replaced, added or misspelt, or an item repeated. */
export function spoilt(value: Json, schema: Schema): fc.Arbitrary<Json> {
  const places = placesIn(value, schema, []);
  return fc.constantFrom(...places).chain((place) => changeAt(value, place));
}

interface Place {
  readonly path: Path;
  readonly value: Json;
  readonly schema: Schema;
}

function placesIn(value: Json, schema: Schema, path: Path): readonly Place[] {
  const here = { path, value, schema };
  if (isList(value))
    return [here, ...value.flatMap((item, index) => placesIn(item, schema.items ?? {}, [...path, index]))];
  if (!isMap(value)) return [here];
  const inside = Object.entries(value).flatMap(([name, member]) =>
    placesIn(member, fieldOf(schema, name), [...path, name]),
  );
  return [here, ...inside];
}

function changeAt(root: Json, { path, value, schema }: Place): fc.Arbitrary<Json> {
  const put = (arbitrary: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
    arbitrary.map((fresh) => replaced(root, path, fresh));
  const replacements = [put(valueFor(schema, 1)), put(anything)];
  if (isList(value) && value.length > 0) {
    return fc.oneof(...replacements, put(fc.nat(value.length - 1).map((index) => [...value, value[index] ?? null])));
  }
  if (!isMap(value)) return fc.oneof(...replacements);
  const names = Object.keys(value);
  const known = Object.keys(schema.properties ?? {}).filter((name) => !names.includes(name));
  const added = fc
    .oneof(
      { weight: 6, arbitrary: fc.constantFrom(...(known.length > 0 ? known : strangeNames)) },
      fc.constantFrom(...strangeNames),
    )
    .chain((name) => valueFor(fieldOf(schema, name), 1).map((fresh) => withField(value, name, fresh)));
  const lessOne = names.length === 0 ? [] : [put(fc.constantFrom(...names).map((name) => without(value, name)))];
  return fc.oneof(
    { weight: 4, arbitrary: put(added) },
    ...lessOne.map((arbitrary) => ({ weight: 2, arbitrary })),
    ...replacements,
  );
}

function replaced(root: Json, path: Path, fresh: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return fresh;
  if (isList(root)) return root.map((item, index) => (index === step ? replaced(item, rest, fresh) : item));
  return isMap(root) ? withField(root, String(step), replaced(root[step] ?? null, rest, fresh)) : root;
}

/** Also with the name `__proto__`, which an assignment would take for the prototype. */
function withField(map: { readonly [name: string]: Json }, name: string, value: Json): Json {
  return Object.fromEntries([...Object.entries(map).filter(([each]) => each !== name), [name, value]]);
}

function without(map: { readonly [name: string]: Json }, name: string): Json {
  return Object.fromEntries(Object.entries(map).filter(([each]) => each !== name));
}

function fieldOf({ properties = {}, additionalProperties }: Schema, name: string): Schema {
  return (Object.hasOwn(properties, name) ? properties[name] : additionalProperties) ?? {};
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value);
}
