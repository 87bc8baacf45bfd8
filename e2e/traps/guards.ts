/** Guards that several traps lean on. */
import type { Patch } from './patch.ts';

/** A probe that states nothing is no evidence; a naive prober takes any failure of its probe for a denial. */
export const silenceOfTheProbe: Patch = {
  file: 'src/verdict/judge.ts',
  search: "if ('missing' in observation) return inconclusive(observation.missing);",
  replace: `if ('missing' in observation) {
    return evidence.expected === 'Deny'
      ? { verdict: 'Passed', reason: 'Denied' }
      : { verdict: 'Failed', reason: 'Blocked' };
  }`,
};

/** Silence counts only of a target that answers somebody. */
export const targetControl: Patch = {
  file: 'src/verdict/judge.ts',
  search: "if (targetControl === undefined && !isEnough) return inconclusive('NoTargetControl');",
  replace: "if (targetControl === undefined && !isEnough) return { verdict: 'Passed', reason: 'Denied' };",
};

/** Silence counts only of a source whose network works. */
export const sourceControl: Patch = {
  file: 'src/verdict/judge.ts',
  search: "if (sourceControl === undefined) return inconclusive('NoSourceControl');",
  replace: '',
};

/** A name that does not resolve is no denial of a connection. */
export const unresolvedName: Patch = {
  file: 'src/verdict/judge.ts',
  search: "case 'NameServerFailed':\n      return inconclusive(observation.outcome);",
  replace: "case 'NameServerFailed':\n      return { verdict: 'Passed', reason: 'Denied' };",
};

/** A Service without ready endpoints is not dialled. */
export const readyEndpoints: Patch = {
  file: 'src/plan/target.ts',
  search: 'endpoints.length === 0',
  replace: 'endpoints.length < 0',
};

/** A tool that failed has said nothing. */
export const toolFailure: Patch = {
  file: 'src/probe/program/probe.sh',
  search: '*) outcome=Ec ;;',
  replace: '*) outcome=Tc ;;',
};

/** A refusal is no denial where denials are silent. */
export const refusal: Patch = {
  file: 'src/verdict/judge.ts',
  search: 'return hasArrived(observation, evidence)',
  replace: "return true ? { verdict: 'Passed', reason: 'Denied' } : hasArrived(observation, evidence)",
};

/** An outcome counts as a denial only where it is how this cluster denies. */
export const denialAsMeasured: Patch = {
  file: 'src/verdict/judge.ts',
  search: 'return isDenial(denials, outcome) ? undefined : otherwise;',
  replace: 'return undefined;',
};

/** A refused connection has arrived only where denials are silent. */
export const arrivalWhereSilent: Patch = {
  file: 'src/verdict/judge.ts',
  search: 'isDropping(denials) && isAdmitted?.() === true;',
  replace: 'isAdmitted?.() === true;',
};

/** Only what connected at once vouches for a target, or for the network of a source. */
export const connectedControls: Patch = {
  file: 'src/verdict/control.ts',
  search: 'seen === undefined || !hasNetworkAtOnce(seen, other)) continue;',
  replace: 'seen === undefined) continue;',
};

/** A run that a change started is followed by another, which sets right what the first one missed. */
export const confirmation: Patch = {
  file: 'src/schedule/index.ts',
  search: "if (trigger === 'Change' && confirmMs < periodMs)",
  replace: 'if (false)',
};

/** A Deny that met silence is looked at once more. */
export const secondLook: Patch = {
  file: 'src/probe/program/probe.sh',
  search: 'attempts=2\n      attempt "$@"\n',
  replace: 'attempts=2\n',
};

/** Silence from beyond another node counts only if the way there is whole. */
export const crossing: Patch = {
  file: 'src/verdict/judge.ts',
  search: "const hasPath = evidence.isCrossingProved || outcome === 'Refused';",
  replace: 'const hasPath = true;',
};

/** A readiness probe counts only while the kubelet is heard of. */
export const nodeIsHeard: Patch = {
  file: 'src/verdict/control.ts',
  search: 'if (check.target.readinessProved && isNodeHeard) {',
  replace: 'if (check.target.readinessProved) {',
};
