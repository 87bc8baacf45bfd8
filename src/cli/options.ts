import { isIP } from 'node:net';
import type { ProfileName } from '../policy/index.ts';
import { choice } from './arguments.ts';
import { type Given, type Option, UsageError } from './command.ts';
import type { Reading } from './world.ts';

const profileNames = ['cilium', 'calico', 'kindnet', 'aws'] as const satisfies readonly ProfileName[];

/** Options of every command that reads manifests. */
export const readingOptions = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    description: 'Namespace of objects that name none. `default` if absent.',
  },
  profile: {
    type: 'string',
    value: 'NAME',
    description: `Network plugin whose known differences from the API documentation count too: ${profileNames.join(', ')}.`,
  },
  resolve: {
    type: 'string',
    multiple: true,
    value: 'HOST=ADDRESS',
    description: 'Address of a host name that a test connects to. May be repeated.',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** In which form a command answers. */
export function outputOption(formats: readonly string[]) {
  return {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    description: `One of ${formats.join(', ')}. text if absent.`,
  } as const satisfies Option;
}

export function readingOf(given: Given): Reading {
  const profile = given.text('profile');
  const addresses = new Map(given.texts('resolve').map(addressPair));
  return {
    namespace: given.text('namespace') ?? 'default',
    ...(profile === undefined ? {} : { profile: profileOf(profile) }),
    addressOf: (host) => addresses.get(hostKey(host)),
  };
}

function profileOf(name: string): ProfileName {
  return choice('profile', name, profileNames);
}

function addressPair(text: string): readonly [string, string] {
  const [host = '', address = ''] = text.split('=');
  if (host === '' || isIP(address) === 0) {
    throw new UsageError(
      `--resolve ${text}: write a host name and its address, such as --resolve example.com=93.184.216.34.`,
    );
  }
  return [hostKey(host), address];
}

/** Host names are the same in either case, with and without the final dot (RFC 4343; RFC 1034, 3.1). */
function hostKey(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** What makes a command end with an exit code other than 0. */
export const failOnOption = {
  type: 'string',
  multiple: true,
  value: 'WORDS',
  description: 'Which of violated, inconclusive end with an error; a list with commas. Both if absent.',
} as const satisfies Option;

export function failOnOf<const T extends readonly string[]>(
  given: Given,
  choices: T,
  otherwise: readonly T[number][],
): ReadonlySet<T[number]> {
  const words = given.texts('fail-on').flatMap((text) => text.split(','));
  return new Set(words.length === 0 ? otherwise : words.map((word) => choice('fail-on', word.trim(), choices)));
}
