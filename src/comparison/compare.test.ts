import { describe, expect, it } from 'vitest';
import { COMPARISONS } from '../metrics/catalogue.ts';
import type { Answer } from '../policy/index.ts';
import type { DenialPair } from '../verdict/index.ts';
import { compare, type Compared } from './compare.ts';

const drop: DenialPair = { ingress: 'TimedOut', egress: 'TimedOut' };
const egressAlone: DenialPair = { ingress: 'Connected', egress: 'TimedOut' };
const nothing: DenialPair = { ingress: 'Connected', egress: 'Connected' };

function comparedWith(parts: Partial<Compared>): string {
  const { agreement, cause } = compare({
    wire: 'Connected',
    specified: 'allow',
    profiled: parts.specified ?? 'allow',
    deniedBy: parts.specified === 'deny' ? ['ingress'] : [],
    denials: drop,
    isRecent: false,
    ...parts,
  });
  return cause === undefined ? agreement : `${agreement} ${cause}`;
}

describe('compare', () => {
  it.each<[string, Partial<Compared>, string]>([
    ['both open', { specified: 'allow' }, 'Agrees'],
    ['both closed', { wire: 'Denied', specified: 'deny' }, 'Agrees'],
    ['both open, just after a change', { specified: 'allow', isRecent: true }, 'Agrees'],
    ['both open, which the plugin should not be', { specified: 'allow', profiled: 'deny' }, 'Agrees'],

    ['connected all the same', { specified: 'deny' }, 'ModelDenies OutsideTheModel'],
    ['connected just after a change', { specified: 'deny', isRecent: true }, 'ModelDenies NotYetProgrammed'],
    ['connected as the plugin does', { specified: 'deny', profiled: 'allow' }, 'ModelDenies PluginAgrees'],
    [
      'connected as the plugin does, whatever changed',
      { specified: 'deny', profiled: 'allow', isRecent: true },
      'ModelDenies PluginAgrees',
    ],
    ['connected where nothing is enforced', { specified: 'deny', denials: nothing }, 'ModelDenies NotEnforced'],
    ['the side that denies is not enforced', { specified: 'deny', denials: egressAlone }, 'ModelDenies NotEnforced'],
    [
      'measured before known of the plugin',
      { specified: 'deny', denials: nothing, profiled: 'allow', isRecent: true },
      'ModelDenies NotEnforced',
    ],
    [
      'the other side denies, and that one is enforced',
      { specified: 'deny', deniedBy: ['egress'], denials: egressAlone },
      'ModelDenies OutsideTheModel',
    ],
    [
      'both sides deny, and one of them is enforced',
      { specified: 'deny', deniedBy: ['ingress', 'egress'], denials: egressAlone },
      'ModelDenies OutsideTheModel',
    ],
    ['not calibrated', { specified: 'deny', denials: undefined }, 'ModelDenies OutsideTheModel'],

    ['denied all the same', { wire: 'Denied' }, 'ModelAllows OutsideTheModel'],
    ['denied just after a change', { wire: 'Denied', isRecent: true }, 'ModelAllows NotYetProgrammed'],
    ['denied as the plugin does', { wire: 'Denied', profiled: 'deny' }, 'ModelAllows PluginAgrees'],
    ['denied though one side is open', { wire: 'Denied', denials: egressAlone }, 'ModelAllows OutsideTheModel'],

    ['left open', { specified: 'undefined' }, 'NoAnswer LeftOpen'],
    ['left open, and not by the plugin', { specified: 'undefined', profiled: 'allow' }, 'NoAnswer PluginAgrees'],
    ['unlike the plugin', { specified: 'undefined', profiled: 'deny' }, 'NoAnswer PluginDiffers'],
    [
      'unlike the plugin just after a change',
      { specified: 'undefined', profiled: 'deny', isRecent: true },
      'NoAnswer NotYetProgrammed',
    ],
    ['not known', { specified: 'unknown' }, 'NoAnswer NotKnown'],
    ['not known but of the plugin', { specified: 'unknown', profiled: 'allow' }, 'NoAnswer PluginAgrees'],
    ['no plugin known', { specified: 'undefined', profiled: undefined }, 'NoAnswer LeftOpen'],
  ])('%s', (_, parts, expected) => {
    expect(comparedWith(parts)).toBe(expected);
  });

  it('comes to nothing that the metric does not start at 0, and to all of that', () => {
    const answers: readonly Answer[] = ['allow', 'deny', 'undefined', 'unknown'];
    const found = new Set(
      (['Connected', 'Denied'] as const).flatMap((wire) =>
        answers.flatMap((specified) =>
          answers.flatMap((profiled) =>
            [drop, nothing].flatMap((denials) =>
              [true, false].map((isRecent) => comparedWith({ wire, specified, profiled, denials, isRecent })),
            ),
          ),
        ),
      ),
    );
    const counted = Object.entries(COMPARISONS).flatMap(([agreement, causes]) =>
      causes.map((cause) => (cause === 'None' ? agreement : `${agreement} ${cause}`)),
    );

    expect([...found].toSorted()).toEqual(counted.toSorted());
  });
});
