import { Type, type Static } from 'typebox';
import { withRules } from './schema-parts.ts';

const block = (description: string) =>
  withRules(Type.String({ description, minLength: 4, maxLength: 43 }), [
    { rule: 'isCIDR(self)', message: 'write an address block such as 10.20.0.0/16 or fd00::/64' },
    {
      rule: "!isCIDR(self) || !['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '::1/128', 'fe80::/10', 'ff00::/8'].exists(refused, cidr(refused).containsCIDR(self))",
      message:
        'loopback, link-local and multicast blocks are nothing to dial: write a single link-local address as `ip`',
    },
  ]);

const sample = (description: string) =>
  withRules(Type.String({ description, minLength: 2, maxLength: 45 }), [
    { rule: 'isIP(self)', message: 'write one plain address such as 10.20.30.40 or fd00::1' },
    {
      rule: "!isIP(self) || !ip(self).isLoopback() && !ip(self).isUnspecified() && !ip(self).isLinkLocalUnicast() && !ip(self).isLinkLocalMulticast() && !self.matches('^(22[4-9]|23[0-9])[.]|^[fF][fF]') && !(string(ip(self)) in ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'])",
      message: 'this address is loopback, link-local, multicast or a metadata service: write that of an ordinary host',
    },
  ]);

/** `to.cidr`: like `ipBlock` of a NetworkPolicy, and which of its addresses stand for all. */
export const addressBlock = withRules(
  Type.Object(
    {
      block: block('The addresses, as in `ipBlock.cidr` of a NetworkPolicy.'),
      except: Type.Optional(
        Type.Array(block('A part of the block.'), {
          description:
            'Parts of the block for which the opposite is expected, as in `ipBlock.except` of a NetworkPolicy. Behind a Deny they are dialled only at `exceptSample`.',
          minItems: 1,
          maxItems: 8,
          'x-kubernetes-list-type': 'set',
        }),
      ),
      sample: Type.Optional(
        sample(
          'The address of the block that is dialled: one that answers somebody, so that silence means a denial. If absent, one is derived from the block, the same each time.',
        ),
      ),
      exceptSample: Type.Optional(sample('The address within `except` that is dialled.')),
    },
    { description: 'A block of addresses outside the cluster, of which one is dialled, and one within `except`.' },
  ),
  [
    {
      rule: '!has(self.except) || !isCIDR(self.block) || self.except.all(part, !isCIDR(part) || cidr(self.block).containsCIDR(part))',
      message: 'what is excepted must be part of the block',
      fieldPath: '.except',
    },
    {
      rule: '!has(self.sample) || !isCIDR(self.block) || !isIP(self.sample) || cidr(self.block).containsIP(self.sample) && (!has(self.except) || !self.except.exists(part, isCIDR(part) && cidr(part).containsIP(self.sample)))',
      message: 'the sample must be an address of the block, and not of an excepted part',
      fieldPath: '.sample',
    },
    {
      rule: '!has(self.exceptSample) || has(self.except) && self.except.exists(part, isCIDR(part) && isIP(self.exceptSample) && cidr(part).containsIP(self.exceptSample))',
      message: 'the sample must be an address of an excepted part',
      fieldPath: '.exceptSample',
    },
  ],
);

export type AddressBlock = Static<typeof addressBlock>;
