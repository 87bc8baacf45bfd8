import type { AgreementCause } from '../api/index.ts';
import type { Answer, Direction, ProfileName } from '../policy/index.ts';
import type { Wire } from '../verdict/index.ts';
import type { NetworkPlugin } from './policies-of-run.ts';

/** What a short explanation speaks of. All words are without a full stop, but for whole sentences. */
export interface Said {
  readonly specified: Answer;
  /** Why the specification allows or denies it. */
  readonly why: string;
  /** What it leaves open, or what is not known: sentences. */
  readonly open: string;
  readonly cause?: AgreementCause | undefined;
  readonly plugin?: NetworkPlugin | undefined;
  /** Why the network plugin does otherwise, where it does. */
  readonly whyProfiled?: string | undefined;
  readonly deniedBy: readonly Direction[];
  readonly protocol: string;
  /** Absent where what was seen leaves it in doubt whether the connection was denied. */
  readonly wire?: Wire | undefined;
  /** What is most probably wrong: sentences. */
  readonly finding?: string | undefined;
  /** A policy, or a field of one, that the model does not know: a sentence. */
  readonly unmodelled?: string | undefined;
}

/** An explanation in few sentences: what the policies say, how that goes with what was seen, and what is probably wrong. */
export function explanationSentence(said: Said): string {
  return [answerSentence(said), causeSentence(said), said.finding].filter((each) => each !== undefined).join(' ');
}

function answerSentence({ specified, why, open }: Said): string {
  switch (specified) {
    case 'allow':
      return `The policies admit it: ${why}.`;
    case 'deny':
      return `The policies deny it: ${why}.`;
    case 'undefined':
    case 'unknown':
      return `The policies ${specified === 'undefined' ? 'leave it open' : 'do not tell'}: ${open}`;
  }
}

function causeSentence(said: Said): string | undefined {
  const { cause, plugin, whyProfiled, deniedBy, protocol, specified, wire, unmodelled } = said;
  const name = plugin === undefined ? 'the network plugin' : pluginInWords(plugin);
  const known = whyProfiled === undefined ? '' : `: ${whyProfiled}`;
  switch (cause) {
    case 'NotEnforced':
      return `Calibration measured that this cluster enforces no policies for ${deniedBy.join(' and ')} over ${protocol}.`;
    case 'NotYetProgrammed':
      return 'Something that it depends on had changed just before: the network plugin may not have caught up.';
    case 'PluginAgrees':
      return `What was seen agrees with what ${name} is known to do${known}.`;
    case 'PluginDiffers':
      return `What was seen is not even what ${name} is known to do${known}.`;
    case 'OutsideTheModel': {
      const what =
        specified === 'deny'
          ? 'No policy tells why it connected all the same: look at whether the network plugin took these policies over.'
          : 'No policy tells why it was denied: look for what else denies here, such as a firewall or policies of another kind.';
      return unmodelled === undefined ? what : `${what} ${unmodelled}`;
    }
    case 'LeftOpen':
    case 'NotKnown':
      return undefined;
    case undefined:
      // Silence, or an answer that no policy gives: what is wrong is not among the policies.
      return specified === 'allow' && wire === undefined
        ? 'Look beyond the policies: at the target, the nodes and firewalls.'
        : undefined;
  }
}

const pluginNames: Readonly<Record<ProfileName, string>> = {
  cilium: 'Cilium',
  calico: 'Calico',
  kindnet: 'kindnet',
  aws: 'the AWS VPC CNI',
};

/** The plugin, and how it comes that it is taken for the cluster's. */
function pluginInWords({ name, basis }: NetworkPlugin): string {
  return basis === 'Configured' ? pluginNames[name] : `${pluginNames[name]} (recognised by its kinds of policies)`;
}
