import { type Observation, type Outcome, parseResult, type PlannedCheck, planText } from '../../src/probe/index.ts';
import type { Cluster } from '../cluster/index.ts';
import type { Cell, Prediction } from './prediction.ts';
import { openShell } from './remote-shell.ts';
import { probeContainer, type Stage } from './stage.ts';

/** The probe program in every pod of the stage, each behind an open shell. */
export interface Probes {
  /**
   * What the project's probe program sees of the cells, those of all pods at once. One connection is enough; silence is two SYNs
   * of two sockets, or two datagrams, without an answer.
   */
  look(predictions: readonly Prediction[]): Promise<ReadonlyMap<Cell, Outcome>>;
  close(): void;
}

/** `hostname`, which netexec answers. */
const datagram = Buffer.from('hostname').toString('hex');
const timeoutSeconds = 1;

export function openProbes(cluster: Cluster, { pods }: Stage): Probes {
  const shells = new Map(
    pods.map((pod) => {
      const { name, namespace = '' } = pod.metadata;
      return [pod, openShell(cluster, { namespace, pod: name, container: probeContainer })];
    }),
  );
  let looks = 0;
  return {
    async look(predictions) {
      looks += 1;
      const nonce = `look-${looks}`;
      const seen = new Map<Cell, Outcome>();
      const bySource = Map.groupBy(predictions, ({ cell }) => cell.source);
      await Promise.all(
        [...bySource].map(async ([source, own]) => {
          const message = await shells.get(source)?.run(commandFor(own.map(checkOf), nonce));
          const result = parseResult(message ?? '', nonce, [...own.keys()]);
          for (const [id, { cell }] of own.entries()) seen.set(cell, outcomeOf(result?.observations.get(id)));
        }),
      );
      return seen;
    },
    close: () => {
      for (const shell of shells.values()) shell.close();
    },
  };
}

/** A converging check that met an answer and then silence was not denied. */
function outcomeOf(observation: Observation | undefined): Outcome {
  if (observation?.firstOutcome === 'Connected') return 'Connected';
  return observation?.outcome ?? 'ProbeLost';
}

function checkOf({ cell, expected }: Prediction, id: number): PlannedCheck {
  const { destination, protocol, port } = cell;
  const address = destination.status?.podIP;
  if (address === undefined) throw new Error(`pod ${destination.metadata.name} has no address`);
  if (protocol === 'TCP') return { id, mode: 'guard', address, port };
  // Each attempt over UDP sends its datagram twice, and takes a dozen processes: the mode is the one with fewer attempts.
  return { id, mode: expected === 'deny' ? 'converge' : 'guard', address, port, udp: { payload: datagram } };
}

/** A plan's text holds no quotes (see planText). */
function commandFor(checks: readonly PlannedCheck[], nonce: string): string {
  const settings = {
    NONCE: nonce,
    PLAN: `'${planText(checks)}'`,
    TIMEOUT_SECONDS: timeoutSeconds,
    SETTLE_SECONDS: 0,
    RESULT_FILE: '/tmp/result',
  };
  const environment = Object.entries(settings).map(([name, value]) => `POSTERN_${name}=${value}`);
  return `${environment.join(' ')} sh /postern/probe.sh && cat /tmp/result`;
}
