/**
 * What is known of a statement. `undefined`: the API leaves it open, implementations may differ. `unknown`: an input is
 * missing or a field is not modelled.
 */
export type Truth = 'no' | 'yes' | 'undefined' | 'unknown';

export function not(truth: Truth): Truth {
  return truth === 'yes' ? 'no' : truth === 'no' ? 'yes' : truth;
}

/** Both statements: one that is false settles it, whatever is open about the other. */
export function and(a: Truth, b: Truth): Truth {
  if (a === 'no' || b === 'no') return 'no';
  if (a === 'unknown' || b === 'unknown') return 'unknown';
  return a === 'undefined' || b === 'undefined' ? 'undefined' : 'yes';
}

/** Either statement: one that is true settles it, whatever is open about the other. */
export function or(a: Truth, b: Truth): Truth {
  return not(and(not(a), not(b)));
}

/** The conjunction of what each member makes true, looking no further than the first that is false. */
export function every<T>(members: readonly T[], truthOf: (member: T) => Truth): Truth {
  let truth: Truth = 'yes';
  for (const member of members) {
    truth = and(truth, truthOf(member));
    if (truth === 'no') return truth;
  }
  return truth;
}

/** The disjunction of what each member makes true, looking no further than the first that is true. */
export function some<T>(members: readonly T[], truthOf: (member: T) => Truth): Truth {
  let truth: Truth = 'no';
  for (const member of members) {
    truth = or(truth, truthOf(member));
    if (truth === 'yes') return truth;
  }
  return truth;
}

/** What the model says of a connection: `allow`, `deny`, left open by the API, or dependent on something it does not know. */
export type Answer = 'allow' | 'deny' | 'undefined' | 'unknown';

/** The answer if a statement decides between two: the same one if they agree, else as open as the statement and they are. */
export function choose(statement: Truth, ifTrue: Answer, ifFalse: Answer): Answer {
  if (statement === 'yes') return ifTrue;
  if (statement === 'no' || ifTrue === ifFalse) return ifFalse;
  return statement === 'unknown' || ifTrue === 'unknown' || ifFalse === 'unknown' ? 'unknown' : 'undefined';
}

/** A connection's answer from those of its two directions: a denial on either side settles it. */
export function both(egress: Answer, ingress: Answer): Answer {
  if (egress === 'deny' || ingress === 'deny') return 'deny';
  if (egress === 'unknown' || ingress === 'unknown') return 'unknown';
  return egress === 'undefined' || ingress === 'undefined' ? 'undefined' : 'allow';
}
