import { call, isTruth, isValue, typeNamed, type Value } from './expression-functions.ts';

/**
 * The part of the Common Expression Language (https://github.com/google/cel-spec) that the schema's rules are written in, so
 * that a test is refused here for the reasons, and in the words, for which the API server would refuse it.
 */
export type Expression = (self: Value) => Value;

/** Reads an expression. Throws for what is not in the part of the language that is known here. */
export function expressionOf(text: string): Expression {
  const tokens = tokensOf(text);
  const parser = new Parser(tokens);
  const expression = parser.conditional();
  parser.expectEnd();
  return (self) => expression(new Map([['self', self]]));
}

/** What names stand for where a part of an expression is evaluated. */
type Scope = ReadonlyMap<string, Value>;
type Evaluation = (scope: Scope) => Value;

interface Token {
  readonly kind: 'number' | 'string' | 'name' | 'sign';
  readonly text: string;
}

const patterns = [
  ['number', /\d+/y],
  ['string', /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y],
  ['name', /[A-Za-z_]\w*/y],
  ['sign', /&&|\|\||[=!<>]=|[-+*!<>?:.,()[\]]/y],
] as const;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    if (text[position] === ' ') {
      position += 1;
      continue;
    }
    const token = tokenAt(text, position);
    if (token === undefined) throw new Error(`cannot read the rule ${text} at ${position}`);
    tokens.push(token);
    position += token.text.length;
  }
  return tokens;
}

function tokenAt(text: string, position: number): Token | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position;
    const [found] = pattern.exec(text) ?? [];
    if (found !== undefined) return { kind, text: found };
  }
  return undefined;
}

type Operator = (left: Value, right: Value) => Value;

/** By rising precedence; all bind to the left. The logical ones are not among them, because they do not look at both sides. */
const levels: readonly Readonly<Record<string, Operator>>[] = [
  {
    '==': (left, right) => left === right,
    '!=': (left, right) => left !== right,
    '<=': (left, right) => numberOf(left) <= numberOf(right),
    '>=': (left, right) => numberOf(left) >= numberOf(right),
    '<': (left, right) => numberOf(left) < numberOf(right),
    '>': (left, right) => numberOf(left) > numberOf(right),
    in: (left, right) => Array.isArray(right) && right.includes(left),
  },
  {
    '+': (left, right) => numberOf(left) + numberOf(right),
    '-': (left, right) => numberOf(left) - numberOf(right),
  },
  { '*': (left, right) => numberOf(left) * numberOf(right) },
];

function numberOf(value: Value): number {
  if (typeof value !== 'number') throw new Error('a rule calculates with what is no number');
  return value;
}

class Parser {
  #position = 0;
  readonly #tokens: readonly Token[];
  /** Names that stand for values here: `self`, and what a macro around this part binds. */
  readonly #bound = new Set(['self']);

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectEnd(): void {
    const rest = this.#tokens[this.#position];
    if (rest !== undefined) throw new Error(`a rule goes on with ${rest.text}`);
  }

  conditional(): Evaluation {
    const condition = this.#either();
    if (!this.#skip('?')) return condition;
    const then = this.conditional();
    this.#expect(':');
    const otherwise = this.conditional();
    return (scope) => (isTruth(condition(scope)) ? then(scope) : otherwise(scope));
  }

  #either(): Evaluation {
    const first = this.#all();
    if (!this.#skip('||')) return first;
    const rest = this.#either();
    return (scope) => isTruth(first(scope)) || isTruth(rest(scope));
  }

  #all(): Evaluation {
    const first = this.#binary(0);
    if (!this.#skip('&&')) return first;
    const rest = this.#all();
    return (scope) => isTruth(first(scope)) && isTruth(rest(scope));
  }

  #binary(level: number): Evaluation {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const sign = this.#tokens[this.#position]?.text ?? '';
      const operator = Object.hasOwn(operators, sign) ? operators[sign] : undefined;
      if (operator === undefined) return left;
      this.#position += 1;
      const [first, second] = [left, this.#binary(level + 1)];
      left = (scope) => operator(first(scope), second(scope));
    }
  }

  #unary(): Evaluation {
    if (!this.#skip('!')) return this.#member();
    const operand = this.#unary();
    return (scope) => !isTruth(operand(scope));
  }

  #member(): Evaluation {
    let subject = this.#primary();
    while (this.#skip('.')) {
      const name = this.#take('name');
      const owner = subject;
      if (this.#skip('(')) {
        if (name === 'exists' || name === 'all') {
          subject = this.#macro(name, owner);
          continue;
        }
        const args = this.#list(')');
        subject = (scope) => call(name, [owner(scope), ...args.map((arg) => arg(scope))]);
      } else {
        subject = (scope) => field(owner(scope), name);
      }
    }
    return subject;
  }

  /** `list.exists(each, condition)` and `list.all(each, condition)`: the condition is asked of each member. */
  #macro(name: 'exists' | 'all', owner: Evaluation): Evaluation {
    const variable = this.#take('name');
    this.#expect(',');
    this.#bound.add(variable);
    const condition = this.conditional();
    this.#bound.delete(variable);
    this.#expect(')');
    return (scope) => {
      const members = owner(scope);
      if (!Array.isArray(members)) throw new Error(`a rule asks for the members of what is no list`);
      const holds = (member: Value): boolean => isTruth(condition(new Map([...scope, [variable, member]])));
      return name === 'exists' ? members.some(holds) : members.every(holds);
    };
  }

  #primary(): Evaluation {
    if (this.#skip('(')) {
      const inner = this.conditional();
      this.#expect(')');
      return inner;
    }
    if (this.#skip('[')) {
      const members = this.#list(']');
      return (scope) => members.map((member) => member(scope));
    }
    const token = this.#tokens[this.#position];
    this.#position += 1;
    switch (token?.kind) {
      case 'number':
        return () => Number(token.text);
      case 'string':
        return () => token.text.slice(1, -1).replace(/\\(.)/g, '$1');
      case 'name':
        return this.#named(token.text);
      case 'sign':
      case undefined:
        throw new Error(`a rule has ${token?.text ?? 'its end'} where a value is to be`);
    }
  }

  #named(name: string): Evaluation {
    if (this.#bound.has(name)) return (scope) => bound(name, scope);
    if (!this.#skip('(')) return () => typeNamed(name);
    // `has` asks about a field that may be missing, so its argument is not evaluated as a whole.
    if (name === 'has') return this.#presence();
    const args = this.#list(')');
    return (scope) =>
      call(
        name,
        args.map((arg) => arg(scope)),
      );
  }

  #presence(): Evaluation {
    let owner = this.#primary();
    this.#expect('.');
    let name = this.#take('name');
    while (this.#skip('.')) {
      const [outer, step] = [owner, name];
      owner = (scope) => field(outer(scope), step);
      name = this.#take('name');
    }
    this.#expect(')');
    return (scope) => {
      const value = owner(scope);
      return typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, name);
    };
  }

  #list(end: string): readonly Evaluation[] {
    const members: Evaluation[] = [];
    while (!this.#skip(end)) {
      if (members.length > 0) this.#expect(',');
      members.push(this.conditional());
    }
    return members;
  }

  #skip(text: string): boolean {
    const token = this.#tokens[this.#position];
    if (token?.kind !== 'sign' || token.text !== text) return false;
    this.#position += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new Error(`a rule lacks ${text}`);
  }

  #take(kind: Token['kind']): string {
    const token = this.#tokens[this.#position];
    if (token?.kind !== kind) throw new Error(`a rule lacks a ${kind}`);
    this.#position += 1;
    return token.text;
  }
}

function bound(name: string, scope: Scope): Value {
  const value = scope.get(name);
  if (value === undefined) throw new Error(`a rule asks for ${name}, which stands for nothing`);
  return value;
}

function field(owner: Value, name: string): Value {
  const value: unknown = typeof owner === 'object' && Object.hasOwn(owner, name) ? Reflect.get(owner, name) : undefined;
  if (!isValue(value)) throw new Error(`a rule asks for the field ${name}, which is missing`);
  return value;
}
