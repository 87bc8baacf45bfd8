/** Where images come from: their registries, or built on this machine. */
export type ImageSource = 'registry' | 'local';

const registries = ['https://registry-1.docker.io/v2/', 'https://registry.k8s.io/v2/', 'https://quay.io/v2/'];
const answerTimeoutMs = 5_000;

/** The source that the environment asks for, if it does. */
export function requestedSource(environment: NodeJS.ProcessEnv): ImageSource | undefined {
  const requested = environment['POSTERN_IMAGE_SOURCE'];
  if (requested === undefined || requested === '') return undefined;
  if (requested === 'registry' || requested === 'local') return requested;
  throw new Error(`POSTERN_IMAGE_SOURCE is ${requested}: it must be registry or local`);
}

/** What is asked for comes first, then what an existing cluster was made of, then what answers. */
export function chooseSource(
  requested: ImageSource | undefined,
  recorded: ImageSource | undefined,
  registriesAnswer: boolean,
): ImageSource {
  return requested ?? recorded ?? (registriesAnswer ? 'registry' : 'local');
}

/** Whether every registry that images come from answers as a registry does. */
export async function doRegistriesAnswer(): Promise<boolean> {
  const answers = await Promise.all(registries.map(doesRegistryAnswer));
  return answers.every(Boolean);
}

async function doesRegistryAnswer(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    return isRegistryAnswer(response.status, response.headers.has('docker-distribution-api-version'));
  } catch {
    return false;
  }
}

/** A registry admits everyone or asks for a token; a captive portal or a proxy that forbids does neither. */
export function isRegistryAnswer(status: number, namesItsVersion: boolean): boolean {
  return status === 200 || (status === 401 && namesItsVersion);
}

/** The name under which a registry is asked for an image: `mirror/cilium/cilium:v1` for `quay.io/cilium/cilium:v1`. */
export function pulledName(image: string, mirror: string | undefined): string {
  if (mirror === undefined || mirror === '') return image;
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `${mirror}/library/${first}`;
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  return `${mirror}/${hasHost ? rest.join('/') : image}`;
}

/** The name by which containerd on a node knows an image. */
export function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${first}`;
  return first.includes('.') || first.includes(':') || first === 'localhost' ? image : `docker.io/${image}`;
}
