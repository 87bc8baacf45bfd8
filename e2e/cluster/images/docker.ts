import { attempt, run } from '../command.ts';

/** The label that holds what a locally built image was made of. */
export const contentLabel = 'dev.postern.content';

/** An image that the engine holds. */
export interface EngineImage {
  readonly id: string;
  /** The value of {@link contentLabel}, if the image has it. */
  readonly content: string | undefined;
  /** Names with digests, of images that were pulled. */
  readonly digests: readonly string[];
}

/** Those of the named images that the engine holds, by name. */
export async function inspectImages(references: readonly string[]): Promise<ReadonlyMap<string, EngineImage>> {
  const found = new Map<string, EngineImage>();
  for (const reference of references) {
    const format = `{{.Id}}\t{{with .Config.Labels}}{{index . "${contentLabel}"}}{{end}}\t{{range .RepoDigests}}{{.}} {{end}}`;
    const result = await attempt('docker', ['image', 'inspect', '--format', format, reference]);
    if (result.code !== 0) continue;
    const [id = '', content = '', digests = ''] = result.stdout.trim().split('\t');
    found.set(reference, {
      id,
      content: content === '' ? undefined : content,
      digests: digests.split(' ').filter((digest) => digest !== ''),
    });
  }
  return found;
}

/** What `docker build` is given beside the folder. */
export interface BuildOptions {
  readonly reference: string;
  readonly dockerfile: string;
  readonly target?: string;
  readonly hostNetwork?: boolean;
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Builds an image from a folder. */
export async function buildImage(directory: string, options: BuildOptions): Promise<void> {
  const pairs = (flag: string, values: Readonly<Record<string, string>> = {}): readonly string[] =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  await run(
    'docker',
    [
      'build',
      '--quiet',
      '--tag',
      options.reference,
      '--file',
      options.dockerfile,
      ...(options.target === undefined ? [] : ['--target', options.target]),
      ...(options.hostNetwork === true ? ['--network', 'host'] : []),
      ...pairs('--build-arg', options.buildArguments),
      ...pairs('--label', options.labels),
      directory,
    ],
    { environment: { ...process.env, ...(await builderEnvironment()) } },
  );
}

/** Debian's Docker client comes without BuildKit's, and then fails unless it is told to do without. */
async function builderEnvironment(): Promise<NodeJS.ProcessEnv> {
  const buildKit = await attempt('docker', ['buildx', 'version']);
  return { DOCKER_BUILDKIT: buildKit.code === 0 ? '1' : '0' };
}
