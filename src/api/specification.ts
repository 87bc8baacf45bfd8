import { Type, type Static } from 'typebox';
import { addressBlock } from './address-block.ts';
import { dnsLabel, objectName, sentence, stringEnum, withRules } from './schema-parts.ts';

/** Kinds whose pods can be named as a source or a target. */
export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod'] as const;
export const expectedResults = ['Allow', 'Deny'] as const;
export const protocols = ['TCP', 'UDP'] as const;
export const udpPresets = ['DNS', 'NTP'] as const;
export const dnsRecordTypes = ['A', 'AAAA'] as const;
/** What is accepted as proof that a denied target answers others. */
export const controlModes = ['Observed', 'Declared', 'FromPostern', 'UnreachableIsEnough'] as const;
export const ipFamilies = ['IPv4', 'IPv6'] as const;
/** Where a probe pod stands in relation to what it dials. */
export const nodePaths = ['SameNode', 'OtherNode'] as const;
export const severities = ['Critical', 'High', 'Medium', 'Low', 'Info'] as const;

export const workload = Type.Object(
  {
    kind: stringEnum(workloadKinds, {
      description: 'Kind of the workload: Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod.',
    }),
    name: objectName('Name of the workload.'),
  },
  { description: 'One workload by kind and name. Its live pods are looked up at each run, so labels cannot drift.' },
);

const labelValue = Type.String({ maxLength: 63, description: 'A label value.' });

const labelSelectorRequirement = withRules(
  Type.Object(
    {
      key: Type.String({ description: 'The label key that the requirement is about.', minLength: 1, maxLength: 317 }),
      operator: stringEnum(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
        description: 'In and NotIn compare with `values`; Exists and DoesNotExist look at the key alone.',
      }),
      values: Type.Optional(
        Type.Array(labelValue, { description: 'Values for In and NotIn; absent otherwise.', maxItems: 16 }),
      ),
    },
    { description: 'One requirement on a label.' },
  ),
  [
    {
      rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: 'give `values` with the operators In and NotIn, and leave `values` out with Exists and DoesNotExist',
    },
  ],
);

const labelSelector = (description: string) =>
  Type.Object(
    {
      matchLabels: Type.Optional(
        Type.Record(Type.String(), labelValue, {
          description: 'Labels to carry, each with exactly this value.',
          maxProperties: 16,
        }),
      ),
      matchExpressions: Type.Optional(
        Type.Array(labelSelectorRequirement, {
          description: 'Requirements that must all hold (Kubernetes LabelSelector).',
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
        }),
      ),
    },
    { description },
  );

export const podSelector = labelSelector(
  'Pods by label selector, as in a NetworkPolicy. An empty selector, `{}`, means every pod.',
);

/** Where a workload or pods are looked for. */
const whereabouts = {
  namespace: Type.Optional(
    dnsLabel(
      "Namespace of the workload or pods. The test's own namespace if absent; any other one needs a ConnectivityGrant there.",
      'shop',
    ),
  ),
  namespaces: Type.Optional(
    labelSelector(
      'Namespaces of the workload or pods by label selector. Those that have no ConnectivityGrant for this test are left out, and the verdict says so.',
    ),
  ),
};
const oneWhereabouts = {
  rule: '!has(self.namespace) || !has(self.namespaces)',
  message:
    'write either `namespace`, the name of one, or `namespaces`, a label selector such as `{matchLabels: {team: shop}}`',
};

const source = withRules(
  Type.Object(
    {
      workload: Type.Optional(workload),
      pods: Type.Optional(podSelector),
      ...whereabouts,
    },
    {
      description:
        "Who connects. The probe pod wears the identity of these pods: the namespace, their labels and their service account's name.",
    },
  ),
  [
    {
      rule: '(has(self.workload) ? 1 : 0) + (has(self.pods) ? 1 : 0) == 1',
      message:
        'name exactly one source: write either `workload: {kind: Deployment, name: web}` or `pods: {matchLabels: {app: web}}`',
    },
    oneWhereabouts,
  ],
);

const service = Type.Object(
  {
    name: dnsLabel('Name of the Service.', 'api'),
    namespace: Type.Optional(dnsLabel("Namespace of the Service. The test's own namespace if absent.", 'shop')),
  },
  {
    description:
      'A Service: its cluster address, or each ready endpoint if it is headless. One without ready endpoints is not dialled.',
  },
);

const ip = withRules(Type.String({ description: 'One IPv4 or IPv6 address.', minLength: 2, maxLength: 45 }), [
  {
    rule: 'isIP(self)',
    message: 'write one plain address such as 10.20.30.40 or fd00::1, without a port, a prefix length or a name',
  },
  {
    rule: "!isIP(self) || !ip(self).isLoopback() && !ip(self).isUnspecified() && !self.startsWith('0.')",
    message: 'a loopback or unspecified address never leaves the pod: write the address of another host',
  },
  {
    rule: '!isIP(self) || !ip(self).isLinkLocalMulticast() && !self.matches("^(22[4-9]|23[0-9])[.]|^255[.]255[.]255[.]255$|^[fF][fF]")',
    message: 'a multicast or broadcast address cannot be connected to: write the address of one host',
  },
]);

const host = withRules(
  Type.String({
    description:
      "A host name. The probe pod resolves it with the source's own DNS settings, as a stage of its own; a name that does not resolve is never a successful Deny.",
    minLength: 1,
    maxLength: 253,
  }),
  [
    { rule: '!isIP(self)', message: 'this is an address, not a host name: write it as `ip` instead of `host`' },
    {
      rule: "isIP(self) || self.matches('^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?[.]?$')",
      message: 'write the bare host name, such as example.com: scheme, port and path have fields of their own',
    },
    {
      rule: "isIP(self) || !self.matches('(^|[.])(0[xX][0-9A-Fa-f]*|[0-9]+)[.]?$')",
      message:
        'a name that ends in a number is an address to some programs: write it as `ip`, such as 10.20.30.40 or fd00::1',
    },
    {
      rule: "!self.lowerAscii().matches('^(localhost|.*[.]localhost)[.]?$')",
      message: 'localhost never leaves the pod: write the name of another host',
    },
  ],
);

const port = withRules(
  Type.Unsafe<number | string>({
    description:
      "The port, by number or by name. For a Service it is the Service's port, otherwise the pod's; a name is looked up in the Service or in the pod's containers.",
    'x-kubernetes-int-or-string': true,
    // Bounds a name, and with it the cost of the rule below.
    maxLength: 15,
  }),
  [
    {
      rule: "type(self) == int ? self >= 1 && self <= 65535 : self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.matches('[a-z]')",
      message:
        'write a port number from 1 to 65535 without quotes, or a port name of lower-case letters, digits and "-" with at least one letter',
    },
  ],
);

const dns = Type.Object(
  {
    name: withRules(
      Type.String({
        description:
          'The name to look up, completed by the search domains of the pod unless it ends in a dot, as applications do.',
        minLength: 1,
        maxLength: 253,
      }),
      [
        {
          rule: "self.matches('^([A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)([.][A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)*[.]?$')",
          message:
            'write a host name of dot-separated labels of 1 to 63 letters, digits and "-", such as kubernetes.default.svc',
        },
      ],
    ),
    type: Type.Optional(stringEnum(dnsRecordTypes, { description: 'Type of record to ask for. A if absent.' })),
  },
  {
    description:
      "A DNS name: asks the source's own resolver for it, or the server that `service` or `ip` names beside it. Over UDP unless `protocol: TCP` is written.",
  },
);

const target = withRules(
  Type.Object(
    {
      workload: Type.Optional(workload),
      pods: Type.Optional(podSelector),
      ...whereabouts,
      service: Type.Optional(service),
      ip: Type.Optional(ip),
      host: Type.Optional(host),
      cidr: Type.Optional(addressBlock),
      dns: Type.Optional(dns),
      port: Type.Optional(port),
    },
    {
      description:
        'What is connected to: exactly one of workload, pods, service, ip, host or cidr, and a port; or `dns`, alone or beside the service or ip of a name server.',
    },
  ),
  [
    {
      rule: 'has(self.dns) || (has(self.workload) ? 1 : 0) + (has(self.pods) ? 1 : 0) + (has(self.service) ? 1 : 0) + (has(self.ip) ? 1 : 0) + (has(self.host) ? 1 : 0) + (has(self.cidr) ? 1 : 0) == 1',
      message:
        'name exactly one target: `workload`, `pods`, `service`, `ip`, `host`, `cidr` or `dns`, such as `service: {name: api}`',
    },
    oneWhereabouts,
    {
      rule: '!(has(self.namespace) || has(self.namespaces)) || has(self.workload) || has(self.pods)',
      message:
        'leave `namespace` and `namespaces` out but beside `workload` or `pods`: that of a Service stands inside of it, `service: {name: api, namespace: shop}`',
    },
    {
      rule: '!has(self.dns) || !has(self.workload) && !has(self.pods) && !has(self.host) && !has(self.cidr) && !(has(self.service) && has(self.ip))',
      message: 'beside `dns`, name a server as `service` or as `ip`, or none for the resolver of the source itself',
      fieldPath: '.dns',
    },
    {
      rule: 'has(self.dns) || has(self.port)',
      message: 'write the `port` to connect to, such as `port: 8080` or the name of a port',
    },
    {
      rule: '!has(self.dns) || !has(self.port) || has(self.service) || has(self.ip)',
      message: "leave `port` out: the source's own resolver is asked on the port that it has",
      fieldPath: '.port',
    },
    {
      rule: '!(has(self.ip) || has(self.host) || has(self.cidr)) || !has(self.port) || type(self.port) == int',
      message:
        'a port name needs a Service or pods to look it up in: write the port number for `ip`, `host` and `cidr`',
      fieldPath: '.port',
    },
  ],
);

const http = Type.Object(
  {
    scheme: Type.Optional(
      stringEnum(['HTTP', 'HTTPS'], {
        description:
          'HTTPS completes a TLS handshake first. The certificate is not verified: whether it is the right one is not a question of network policy.',
        default: 'HTTP',
      }),
    ),
    path: Type.Optional(
      withRules(
        Type.String({ description: 'Path and query to request by GET.', default: '/', minLength: 1, maxLength: 1024 }),
        [
          {
            rule: "self.matches('^/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$')",
            message:
              'begin the path with "/" and percent-encode blanks, quotes and other characters that a URL may not hold',
          },
        ],
      ),
    ),
    status: Type.Optional(
      Type.Array(Type.Integer({ description: 'An HTTP status code.', minimum: 100, maximum: 599 }), {
        description: 'Status codes that count as the expected answer. Any of 200 to 399 if absent.',
        minItems: 1,
        maxItems: 16,
        'x-kubernetes-list-type': 'set',
      }),
    ),
  },
  { description: 'Ask for an HTTP answer instead of a bare TCP connection. Redirects are not followed.' },
);

const udp = withRules(
  Type.Object(
    {
      payload: Type.Optional(
        withRules(
          Type.String({
            description:
              'The datagram to send, in hexadecimal, 1 to 128 bytes. Choose one that the application answers.',
            minLength: 2,
            maxLength: 256,
          }),
          [
            {
              rule: "self.matches('^([0-9A-Fa-f]{2})+$')",
              message: 'write whole bytes in hexadecimal without blanks or 0x, such as 70696e67 for "ping"',
            },
          ],
        ),
      ),
      preset: Type.Optional(
        stringEnum(udpPresets, {
          description: 'A datagram that every server of that protocol answers: a DNS query or an NTP request.',
        }),
      ),
    },
    {
      description:
        'The datagram that is sent with `protocol: UDP`. Only an answer counts as reached: UDP has no handshake, so silence says nothing by itself.',
    },
  ),
  [
    {
      rule: 'has(self.payload) != has(self.preset)',
      message: 'write either `payload` in hexadecimal or `preset: DNS` or `preset: NTP`',
    },
  ],
);

const control = withRules(
  Type.Object(
    {
      mode: Type.Optional(
        stringEnum(controlModes, {
          description:
            'Observed: somebody connected in the same run, or the kubelet’s readiness probe does on that very port. Declared: ready pods that declare the port are enough, though nobody connected. FromPostern: for targets outside the cluster; Postern dials them from its own namespace, which otherwise it does only where no Allow of the test goes there. UnreachableIsEnough: for addresses that nobody here can reach; no answer passes, though no policy may be the cause, and the result says so.',
          default: 'Observed',
        }),
      ),
      from: Type.Optional(source),
    },
    {
      description:
        'How to prove that the target of a Deny answers others, so that silence means a denial. `from` names pods that may connect: they try it in the same run. Of a port that refuses only such a connection shows that it is open.',
    },
  ),
  [
    {
      rule: "!has(self.from) || self.mode == 'Observed'",
      message: 'leave `mode` out beside `from`: what those pods see is the proof',
    },
  ],
);

export const expectation = withRules(
  Type.Object(
    {
      name: dnsLabel(
        'Name of the expectation, unique in the test. It names rows of the status, events and metric series.',
        'web-reaches-api',
      ),
      description: Type.Optional(sentence('Why this is expected, in one sentence, for whoever reads the test.')),
      from: source,
      to: target,
      protocol: Type.Optional(
        stringEnum(protocols, {
          description: 'Transport protocol. TCP if absent, but UDP for `to.dns`.',
        }),
      ),
      http: Type.Optional(http),
      udp: Type.Optional(udp),
      control: Type.Optional(control),
      ipFamilies: Type.Optional(
        Type.Array(stringEnum(ipFamilies, { description: 'IPv4 or IPv6.' }), {
          description:
            'The families of addresses by which pods and Services are dialled, each on its own, since a policy may hold for one alone. Every one that source and target have if absent.',
          minItems: 1,
          maxItems: 2,
          'x-kubernetes-list-type': 'set',
        }),
      ),
      paths: Type.Optional(
        Type.Array(stringEnum(nodePaths, { description: 'SameNode or OtherNode.' }), {
          description:
            'From where pods are dialled: SameNode from a node that runs one of them, OtherNode from another node. Both must be as expected. Where no such node takes pods of the source, nothing is proved. If absent, the scheduler decides.',
          minItems: 1,
          maxItems: 2,
          'x-kubernetes-list-type': 'set',
        }),
      ),
      expect: stringEnum(expectedResults, {
        description: 'Allow: the connection must succeed. Deny: it must not. There is no default.',
      }),
      dryRun: Type.Optional(
        Type.Boolean({
          description:
            'Measure and show, but let the result count for nothing: the verdict is Skipped. For introducing a Deny before its policy exists.',
          default: false,
        }),
      ),
    },
    { description: 'One line of the test: from whom, to what, and whether the connection must succeed.' },
  ),
  [
    {
      rule: "self.expect == 'Allow' || !has(self.http)",
      message:
        'a Deny is proved by the TCP connection alone: leave `http` out, or write `expect: Allow` with the `status` that you expect',
      fieldPath: '.http',
    },
    {
      rule: "self.expect == 'Deny' || !has(self.control)",
      message: 'an Allow proves itself: leave `control` out, or write `expect: Deny`',
      fieldPath: '.control',
    },
    {
      rule: "!has(self.control) || self.control.mode != 'UnreachableIsEnough' || !has(self.udp) && (!has(self.to.dns) || has(self.protocol) && self.protocol == 'TCP')",
      message:
        'silence over UDP is no effect to be content with: write `control: {from: …}` with pods that get an answer',
      fieldPath: '.control',
    },
    {
      rule: "!has(self.control) || self.control.mode != 'FromPostern' || has(self.to.ip) || has(self.to.host) || has(self.to.cidr)",
      message:
        'from its own namespace Postern dials only what is outside the cluster, named as `ip`, `host` or `cidr`: name pods that may connect as `control: {from: …}`',
      fieldPath: '.control',
    },
    {
      rule: '!has(self.ipFamilies) || has(self.to.workload) || has(self.to.pods) || has(self.to.service)',
      message:
        'an address has one family, and a name those that it resolves to: leave `ipFamilies` out, or name a `workload`, `pods` or a `service`',
      fieldPath: '.ipFamilies',
    },
    {
      rule: '!has(self.paths) || has(self.to.workload) || has(self.to.pods)',
      message: 'only pods stand on nodes: name the target as `workload` or `pods`, or leave `paths` out',
      fieldPath: '.paths',
    },
    {
      rule: "self.expect == 'Deny' || !has(self.to.cidr) || has(self.to.cidr.sample)",
      message: 'nothing listens at most addresses of a block: write one that must answer as `to.cidr.sample`',
      fieldPath: '.to.cidr',
    },
    {
      rule: "!has(self.http) || (!has(self.protocol) || self.protocol == 'TCP') && !has(self.to.dns)",
      message: 'an HTTP request goes over TCP to a server: leave `protocol: UDP` and `to.dns` out beside `http`',
      fieldPath: '.http',
    },
    {
      rule: "has(self.to.dns) || (has(self.protocol) && self.protocol == 'UDP') == has(self.udp)",
      message:
        'write `protocol: UDP` and `udp` together, such as `udp: {preset: DNS}`: what is sent decides whether an answer comes',
    },
    {
      rule: '!has(self.to.dns) || !has(self.udp)',
      message: 'a DNS query is its own datagram: leave `udp` out beside `to.dns`',
      fieldPath: '.udp',
    },
    {
      rule: "!has(self.to.ip) || !isIP(self.to.ip) || !ip(self.to.ip).isLinkLocalUnicast() && !(string(ip(self.to.ip)) in ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254']) && !self.to.ip.matches('^0*64:[fF][fF]9[bB]:.*:([aA]9[fF][eE]:|169[.]254[.])') || (has(self.to.dns) ? !has(self.to.port) || self.to.port == 53 : self.expect == 'Deny' && !has(self.udp))",
      message:
        'a link-local address, such as the instance metadata service, may only be expected to be denied, over TCP, or asked for a DNS name on port 53: write `expect: Deny`',
      fieldPath: '.to.ip',
    },
  ],
);

/** `spec` of a ConnectivityTest. */
export const specification = withRules(
  Type.Object(
    {
      suspend: Type.Optional(
        Type.Boolean({
          description: 'Stop running this test and drop its metrics until set back to false.',
          default: false,
        }),
      ),
      periodSeconds: Type.Optional(
        Type.Integer({
          description:
            'Seconds from the end of one run to the next if nothing changes, 300 if absent. Changes of policies, pods and Services start a run by themselves.',
          default: 300,
          minimum: 10,
          maximum: 86400,
        }),
      ),
      timeoutSeconds: Type.Optional(
        Type.Integer({
          description:
            'Seconds that one attempt waits for an answer, 2 if absent. A Deny pays it twice: attempt and confirmation.',
          default: 2,
          minimum: 1,
          maximum: 10,
        }),
      ),
      settleSeconds: Type.Optional(
        Type.Integer({
          description:
            'Seconds for which an Allow that does not connect at once is tried again, 4 if absent; a Deny that met none is looked at again when they are over.',
          default: 4,
          minimum: 0,
          maximum: 60,
        }),
      ),
      enforcementGraceSeconds: Type.Optional(
        Type.Integer({
          description:
            'Seconds after an observed change of a policy, a namespace’s labels, a target’s pod or its Service during which a Deny that connects is Inconclusive (EnforcementDelayed) and probed again when they are over, since the network plugin may not have caught up; 5 if absent. It never makes a Deny pass, and three such runs in a row are the last. 0 is strict: such a connection fails at once.',
          default: 5,
          minimum: 0,
          maximum: 60,
        }),
      ),
      thresholds: Type.Optional(
        Type.Object(
          {
            failures: Type.Optional(
              Type.Integer({
                description:
                  'Runs in a row in which an Allow must not pass until its row says so, 1 if absent. A Deny that does not pass shows at once, whatever is written here.',
                default: 1,
                minimum: 1,
                maximum: 10,
              }),
            ),
            passes: Type.Optional(
              Type.Integer({
                description: 'Runs in a row that must pass until a row that did not pass says so, 1 if absent.',
                default: 1,
                minimum: 1,
                maximum: 10,
              }),
            ),
          },
          {
            description:
              'Damp verdicts that flap: a row keeps its verdict, and shows beside it as `observed` what the newest runs saw.',
          },
        ),
      ),
      severity: Type.Optional(
        stringEnum(severities, {
          description: 'How bad a violation is: a label of alerts and reports. Medium if absent.',
          default: 'Medium',
        }),
      ),
      expectations: Type.Array(expectation, {
        description: 'What must be reachable and what must not, 1 to 128 lines with unique names.',
        minItems: 1,
        maxItems: 128,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
      probeReplicas: Type.Optional(
        Type.Integer({
          description:
            'Always 0; leave it out. It is what the scale subresource reports, so that a PodDisruptionBudget whose selector matches a probe pod expects no further pod on its account.',
          default: 0,
          minimum: 0,
          maximum: 0,
        }),
      ),
    },
    { description: 'What is expected to be reachable, and when to verify it.' },
  ),
  [
    {
      rule: '!has(self.periodSeconds) || !has(self.settleSeconds) || !has(self.timeoutSeconds) || self.periodSeconds >= self.settleSeconds + 2 * self.timeoutSeconds',
      message:
        'a run must fit into the period: raise `periodSeconds` to at least `settleSeconds` plus twice `timeoutSeconds`',
    },
  ],
);

export type Specification = Static<typeof specification>;
export type Expectation = Static<typeof expectation>;
export type Source = Static<typeof source>;
export type TargetReference = Static<typeof target>;
export type WorkloadReference = Static<typeof workload>;
export type PodSelector = Static<typeof podSelector>;
export type Protocol = (typeof protocols)[number];
export type NodePath = (typeof nodePaths)[number];
export type ControlMode = (typeof controlModes)[number];
export type Severity = (typeof severities)[number];
export type Expected = (typeof expectedResults)[number];
