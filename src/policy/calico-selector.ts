import type { LabelExpression, LabelOperator, Requirement } from './labels.ts';

/** How a label of a Calico selector is looked up, relative to what the selector selects. */
export type LabelLookup = (key: string) => Pick<Requirement, 'of' | 'key'>;

/** An expression, or the sentence that says what is wrong with the text. */
export type ParsedSelector =
  { readonly expression: LabelExpression; readonly isGlobal: boolean } | { readonly problem: string };

/**
 * A Calico selector: `==`, `!=`, `in {…}`, `not in {…}`, `contains`, `starts with`, `ends with`, `has(…)`, `all()`, `global()`,
 * `!`, `&&`, `||` and parentheses. As documented, `!=` and `not in` match what lacks the label, and `&&` binds closer than `||`.
 */
export function parseCalicoSelector(text: string, path: string, lookup: LabelLookup): ParsedSelector {
  const tokens = tokensOf(text);
  if (tokens === undefined)
    return { problem: `${JSON.stringify(text)} is no selector: put values in quotes, as in app == "web".` };
  const parser = createParser(tokens, path, lookup);
  try {
    const expression = tokens.length === 0 ? everything : parser.anyOf();
    if (parser.next() !== undefined)
      return { problem: `${JSON.stringify(text)} goes on after the selector's end at ${parser.next()}.` };
    return { expression, isGlobal: tokens.includes('global()') };
  } catch (error) {
    if (!(error instanceof UnexpectedToken)) throw error;
    return { problem: `In the selector ${JSON.stringify(text)}, ${error.message}.` };
  }
}

const everything: LabelExpression = { kind: 'All', of: [] };
const nothing: LabelExpression = { kind: 'Some', of: [] };

class UnexpectedToken extends Error {}

const tokenPattern =
  /\s*(?:(&&|\|\||==|!=|[!(){},])|(all|global)\s*\(\s*\)|(has)\s*\(\s*([\w./-]+)\s*\)|(not\s+in|in|contains|starts\s+with|ends\s+with)(?=[\s{"'])|("[^"]*"|'[^']*')|([A-Za-z0-9][\w./-]*))/y;

/** Symbols and keywords as they are, values with a leading quote, labels with a leading `@`. */
function tokensOf(text: string): readonly string[] | undefined {
  const tokens: string[] = [];
  let position = 0;
  while (text.slice(position).trim() !== '') {
    tokenPattern.lastIndex = position;
    const match = tokenPattern.exec(text);
    if (match === null) return undefined;
    const [, symbol, call, has, held, word, quoted, label] = match;
    if (symbol !== undefined) tokens.push(symbol);
    else if (call !== undefined) tokens.push(`${call}()`);
    else if (has !== undefined) tokens.push(`has@${held ?? ''}`);
    else if (word !== undefined && tokens.at(-1)?.startsWith('@') === true) tokens.push(word.replaceAll(/\s+/g, ' '));
    else if (quoted !== undefined) tokens.push(`"${quoted.slice(1, -1)}`);
    else tokens.push(`@${label ?? word ?? ''}`);
    position = tokenPattern.lastIndex;
  }
  return tokens;
}

const operators: ReadonlyMap<string, LabelOperator> = new Map<string, LabelOperator>([
  ['==', 'In'],
  ['!=', 'NotIn'],
  ['in', 'In'],
  ['not in', 'NotIn'],
  ['contains', 'Contains'],
  ['starts with', 'StartsWith'],
  ['ends with', 'EndsWith'],
]);

function createParser(tokens: readonly string[], path: string, lookup: LabelLookup) {
  let position = 0;
  const next = (): string | undefined => tokens[position];
  const take = (): string | undefined => tokens[position++];
  const expect = (wanted: string): void => {
    const found = take();
    if (found !== wanted)
      throw new UnexpectedToken(`${wanted} is missing${found === undefined ? ' at the end' : ` before ${found}`}`);
  };
  const separated = (separator: string, part: () => LabelExpression): readonly LabelExpression[] => {
    const parts = [part()];
    while (next() === separator) {
      take();
      parts.push(part());
    }
    return parts;
  };
  const anyOf = (): LabelExpression => joined('Some', separated('||', allOf));
  const allOf = (): LabelExpression => joined('All', separated('&&', term));
  const requirement = (key: string, operator: LabelOperator, values: readonly string[]): Requirement => ({
    kind: 'Requirement',
    ...lookup(key),
    operator,
    values,
    path,
  });
  const term = (): LabelExpression => {
    const token = take();
    if (token === '!') return { kind: 'Not', of: term() };
    if (token === '(') {
      const inner = anyOf();
      expect(')');
      return inner;
    }
    if (token === 'all()') return everything;
    // Pods always belong to a namespace.
    if (token === 'global()') return nothing;
    if (token?.startsWith('has@') === true) return requirement(token.slice('has@'.length), 'Exists', []);
    if (token?.startsWith('@') === true) return comparison(token.slice(1));
    throw new UnexpectedToken(`${token ?? 'the end'} stands where a label, has(…), all() or a parenthesis is expected`);
  };
  const comparison = (key: string): LabelExpression => {
    const word = take() ?? 'the end';
    const operator = operators.get(word);
    if (operator === undefined)
      throw new UnexpectedToken(
        `${word} follows the label ${key}, which needs ==, !=, in, not in, contains, starts with or ends with`,
      );
    return requirement(key, operator, word.endsWith('in') ? set() : [value()]);
  };
  const value = (): string => {
    const token = take();
    if (token?.startsWith('"') !== true)
      throw new UnexpectedToken(`a value in quotes is missing before ${token ?? 'the end'}`);
    return token.slice(1);
  };
  const set = (): readonly string[] => {
    const values: string[] = [];
    expect('{');
    while (next() !== '}') {
      values.push(value());
      if (next() === ',') take();
      else break;
    }
    expect('}');
    return values;
  };
  return { anyOf, next };
}

function joined(kind: 'Some' | 'All', of: readonly LabelExpression[]): LabelExpression {
  const [only, ...others] = of;
  return only !== undefined && others.length === 0 ? only : { kind, of };
}
