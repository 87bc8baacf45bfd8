import { Type, type Static } from 'typebox';
import { stringEnum } from './schema-parts.ts';

/** What the policies as they are written say, beside what was seen. The first is about the wire, the second about the model. */
const agreements = {
  Agrees: 'the policies say what was seen',
  ModelDenies: 'the policies deny what connected',
  ModelAllows: 'the policies admit what was denied, as this cluster denies',
  NoAnswer: 'the policies leave it open, or hold something that the model does not know',
} as const;
export type Agreement = keyof typeof agreements;

/** What it is, where policies and wire do not simply agree. */
const agreementCauses = {
  NotEnforced: 'calibration measured that this cluster does not enforce such policies',
  NotYetProgrammed: 'something that it depends on had changed just before',
  PluginAgrees: 'the network plugin is known to do what was seen',
  PluginDiffers: 'the API leaves it open, and not even what the network plugin is known to do was seen',
  LeftOpen: 'the API leaves it open, and network plugins differ',
  NotKnown: 'something that the answer depends on is not known or not modelled',
  OutsideTheModel: 'none of these: something that the policies do not tell of',
} as const;
export type AgreementCause = keyof typeof agreementCauses;

const namesOf = <T extends string>(texts: Readonly<Record<T, string>>): readonly T[] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys it had
  Object.keys(texts) as T[];

const listed = (texts: Readonly<Record<string, string>>): string =>
  Object.entries(texts)
    .map(([name, text]) => `${name}: ${text}.`)
    .join(' ');

/** `status.expectations[].explanation`. */
export const explanationStatus = Type.Object(
  {
    agreement: Type.Optional(
      stringEnum(namesOf(agreements), {
        description: `How that goes with what was seen; absent where what was seen leaves it in doubt whether the connection was denied. ${listed(agreements)}`,
      }),
    ),
    cause: Type.Optional(
      stringEnum(namesOf(agreementCauses), {
        description: `What it is, where they do not simply agree. ${listed(agreementCauses)}`,
      }),
    ),
    finding: Type.Optional(
      Type.String({
        description: 'What is most probably wrong in the policies, in one word, as `postern explain` names it.',
        maxLength: 64,
      }),
    ),
    policy: Type.Optional(
      Type.String({
        description:
          'The policy that it is about, as `KIND NAMESPACE/NAME`, or `KIND NAME` for one of the whole cluster.',
        maxLength: 384,
      }),
    ),
    direction: Type.Optional(
      stringEnum(['ingress', 'egress'], {
        description: "The side that it is about: the target's ingress or the source's egress.",
      }),
    ),
    message: Type.String({ description: 'The same for people, in a sentence or two.', maxLength: 512 }),
  },
  {
    description:
      'What the policies say, by a model of them: an explanation and no evidence. It stands where the expectation failed, or where the model and the wire do not agree. No verdict rests on it, but for ReachedClosedPort over TCP.',
  },
);

export type ExplanationStatus = Static<typeof explanationStatus>;
