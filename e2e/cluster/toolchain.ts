import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { attempt, run } from './command.ts';
import type { Lane } from './progress.ts';
import { versions } from './versions.ts';
import { type Workspace, assetPath, sha256 } from './workspace.ts';

/** A program that is built from a Go module under `toolchain/`. */
export interface Binary {
  readonly name: string;
  /** The folder under `toolchain/` whose go.mod and go.sum pin it. */
  readonly module: string;
  readonly package: string;
  readonly linkerFlags?: string;
  readonly tags?: string;
}

const [, kubernetesMajor = '', kubernetesMinor = ''] = /^v(\d+)\.(\d+)/.exec(versions.kubernetes) ?? [];
const kubernetesVersionFlags = [
  `-X k8s.io/component-base/version.gitVersion=${versions.kubernetes}`,
  `-X k8s.io/component-base/version.gitMajor=${kubernetesMajor}`,
  `-X k8s.io/component-base/version.gitMinor=${kubernetesMinor}`,
  '-X k8s.io/component-base/version.gitTreeState=clean',
].join(' ');

const kubernetesPrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
  'kubeadm',
];

function program(module: string, packagePath: string, name = path.basename(packagePath)): Binary {
  return { name, module, package: packagePath };
}

/** All that can be built, in the order in which it is. */
export const binaries: readonly Binary[] = [
  program('kind', 'sigs.k8s.io/kind'),
  ...kubernetesPrograms.map((name) => ({
    ...program('kubernetes', `k8s.io/kubernetes/cmd/${name}`),
    linkerFlags: kubernetesVersionFlags,
  })),
  program('kubernetes', 'k8s.io/kubernetes/test/images/agnhost'),
  program('cilium', 'github.com/cilium/cilium/daemon', 'cilium-agent'),
  program('cilium', 'github.com/cilium/cilium/operator', 'cilium-operator-generic'),
  program('cilium', 'github.com/cilium/cilium/plugins/cilium-cni'),
  program('cilium', 'github.com/cilium/cilium/cilium-dbg'),
  program('cilium', 'github.com/cilium/cilium/tools/mount', 'cilium-mount'),
  program('cilium', 'github.com/cilium/cilium/tools/sysctlfix', 'cilium-sysctlfix'),
  program('coredns', 'github.com/coredns/coredns'),
  program('helm', 'helm.sh/helm/v4/cmd/helm'),
  // Of the service discoveries only those of promtool's own checks: the others are most of its compile time.
  { ...program('prometheus', 'github.com/prometheus/prometheus/cmd/promtool'), tags: 'remove_all_sd' },
  program('containerd', 'github.com/containerd/containerd/v2/cmd/containerd'),
  program('containerd', 'github.com/containerd/containerd/v2/cmd/ctr'),
  program('containerd', 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2'),
  program('registry', 'github.com/distribution/distribution/v3/cmd/registry'),
  program('etcd', 'go.etcd.io/etcd/server/v3', 'etcd'),
  program('cni', 'github.com/containernetworking/plugins/plugins/main/ptp'),
  program('cni', 'github.com/containernetworking/plugins/plugins/main/bridge'),
  program('cni', 'github.com/containernetworking/plugins/plugins/main/loopback'),
  program('cni', 'github.com/containernetworking/plugins/plugins/ipam/host-local'),
  program('cni', 'github.com/containernetworking/plugins/plugins/meta/portmap'),
];

/** The programs that run on this machine rather than in an image; the registry only for the test of pulling. */
export const hostTools = ['kind', 'kubectl', 'helm', 'promtool'] as const;

/** Identifies what a binary is made of: its module's files, its flags, its platform. */
export function binaryKey(binary: Binary, moduleHash: string): string {
  const platform = `${process.platform}/${process.arch}`;
  const parts = [moduleHash, binary.package, binary.linkerFlags ?? '', binary.tags ?? '', platform];
  return sha256(parts.join('\n')).slice(0, 16);
}

/** Where a binary lies once it is built. */
export function binaryPath(workspace: Workspace, name: string): string {
  const binary = binaryNamed(name);
  return path.join(workspace.cache, 'bin', binaryKey(binary, treeHash(moduleDirectory(binary.module))), name);
}

/** The steps that build what is missing among `names`, one lane per module: binaries of a module share most of their work. */
export function buildLanes(workspace: Workspace, names: readonly string[]): readonly Lane[] {
  const missing = binaries.filter(
    (binary) => names.includes(binary.name) && !existsSync(binaryPath(workspace, binary.name)),
  );
  const modules = [...new Set(missing.map((binary) => binary.module))];
  return modules.map((module) =>
    missing
      .filter((binary) => binary.module === module)
      .map((binary) => ({ title: `build ${binary.name}`, work: () => build(workspace, binary) })),
  );
}

/** Fails with advice unless a Go toolchain is there that can build everything. */
export async function requireGo(): Promise<void> {
  const needed = newestOf(
    [...new Set(binaries.map((binary) => binary.module))].map(
      (module) => /^go (\S+)$/m.exec(readFileSync(path.join(moduleDirectory(module), 'go.mod'), 'utf8'))?.[1] ?? '0',
    ),
  );
  // Asked outside of any module, and with the toolchain that is installed.
  const result = await attempt('go', ['env', 'GOVERSION'], { environment: { ...process.env, GOTOOLCHAIN: 'local' } });
  const advice = `install Go ${needed} or newer from https://go.dev/dl/ (Go 1.21 or newer fetches it by itself)`;
  if (result.code !== 0) throw new Error(`Go is missing: ${advice}`);
  const installed = result.stdout.trim().replace(/^go/, '');
  if (newestOf([installed, '1.21']) !== installed) throw new Error(`Go ${installed} is too old: ${advice}`);
}

/** The files of a module whose source is needed beside its binaries: the chart of Cilium, its BPF programs. */
export async function moduleSource(module: string, modulePath: string): Promise<string> {
  const output = await run('go', ['mod', 'download', '-json', modulePath], {
    directory: moduleDirectory(module),
    environment: goEnvironment(),
  });
  const download: unknown = JSON.parse(output);
  if (typeof download === 'object' && download !== null && 'Dir' in download && typeof download.Dir === 'string') {
    return download.Dir;
  }
  throw new Error(`go mod download names no folder for ${modulePath}`);
}

/** The SHA-256 of the files under a folder, their names included; of those that `isWanted` by their relative name. */
export function treeHash(directory: string, isWanted: (file: string) => boolean = () => true): string {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .filter(isWanted);
  for (const file of files.toSorted()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(directory, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Compares versions like `1.26.6` by their numbers. */
export function newestOf(candidates: readonly string[]): string {
  return candidates.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1) ?? '0';
}

function binaryNamed(name: string): Binary {
  const binary = binaries.find((candidate) => candidate.name === name);
  if (binary === undefined) throw new Error(`no binary is called ${name}`);
  return binary;
}

/** The folder that pins a module. */
export function moduleDirectory(module: string): string {
  return assetPath('toolchain', module);
}

async function build(workspace: Workspace, binary: Binary): Promise<void> {
  const target = binaryPath(workspace, binary.name);
  const unfinished = `${target}.${process.pid}`;
  // The folder is this binary's alone: what an interrupted build left in it goes.
  rmSync(path.dirname(target), { recursive: true, force: true });
  mkdirSync(path.dirname(target), { recursive: true });
  const linkerFlags = `-s -w ${binary.linkerFlags ?? ''}`;
  const tags = binary.tags === undefined ? [] : ['-tags', binary.tags];
  try {
    await run('go', ['build', '-trimpath', ...tags, '-ldflags', linkerFlags, '-o', unfinished, binary.package], {
      directory: moduleDirectory(binary.module),
      environment: goEnvironment(),
    });
    // In one move: an interrupted build leaves nothing that looks finished.
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function goEnvironment(): NodeJS.ProcessEnv {
  // `auto` lets an older Go fetch the release that a go.mod asks for.
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOTOOLCHAIN: 'auto' };
}
