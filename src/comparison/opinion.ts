import type { Answer, Direction } from '../policy/index.ts';
import { type Asked, type AskedConnection, isOpenToAny } from '../prediction/index.ts';

/** What the model says of a check as a whole. */
export interface Opinion {
  /** `unknown` also where a Service leads to endpoints of which the policies say different things: which one answered is not seen. */
  readonly specified: Answer;
  readonly profiled: Answer;
  readonly deniedBy: readonly Direction[];
  /** The connection that it is explained by; absent where the target itself is not known. */
  readonly connection?: AskedConnection;
  /** Why there is no answer, beyond what the connection's decision says. */
  readonly obstacle?: string;
}

/** The opinion on what a check connects to, or on the look-up of the name before that. */
export function opinionOf(
  { connections, unknown }: Asked,
  stage: AskedConnection['route']['stage'],
  wanted: Answer,
): Opinion {
  const own = connections.filter(({ route }) => route.stage === stage);
  const specifiedAll = own.map((each) => answerOf(each, each.decision.answer));
  const profiledAll = own.map((each) => answerOf(each, (each.decision.profile ?? each.decision).answer));
  // What deviates from what was wanted is what there is to explain.
  const deviating = profiledAll.findIndex((answer) => answer !== wanted);
  const connection = own[Math.max(deviating, 0)];
  if (connection === undefined || (unknown !== undefined && stage === 'Connect')) {
    const obstacle = unknown ?? 'Where the connection leads is not known.';
    return { specified: 'unknown', profiled: 'unknown', deniedBy: [], obstacle };
  }
  const [specified, profiled] = [agreed(specifiedAll), agreed(profiledAll)];
  const directions = (['egress', 'ingress'] as const).filter((side) =>
    own.some(({ decision }) => decision[side].answer === 'deny'),
  );
  return {
    specified: specified ?? 'unknown',
    profiled: profiled ?? 'unknown',
    deniedBy: specified === 'deny' ? directions : [],
    connection,
    ...(specified === undefined
      ? {
          obstacle:
            'The policies do not treat all endpoints of the target alike, and which of them was met is not seen.',
        }
      : isNowhere(connection)
        ? { obstacle: `The address of ${connection.route.name} is not known here.` }
        : {}),
  };
}

/** Of an address that is not known, only what holds for any can be said. */
function answerOf(connection: AskedConnection, answer: Answer): Answer {
  return isNowhere(connection) ? 'unknown' : answer;
}

function isNowhere({ route, decision }: AskedConnection): boolean {
  return route.isAnyAddress === true && !isOpenToAny(decision);
}

function agreed(answers: readonly Answer[]): Answer | undefined {
  const [first] = answers;
  return answers.every((answer) => answer === first) ? first : undefined;
}
