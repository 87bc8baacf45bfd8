import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { attempt, run, runPipe } from '../command.ts';
import { ensureDebianCommand } from '../engine/debian.ts';
import { versions } from '../versions.ts';
import { buildImage, contentLabel } from './docker.ts';
import type { LocalImage, BuildMethod } from './local.ts';

const defaultMirror = 'http://deb.debian.org/debian';
const certificates = 'etc/ssl/certs/ca-certificates.crt';

/** Builds one image; everything that it needs is there. */
export async function buildLocalImage(image: LocalImage): Promise<void> {
  const { method } = image;
  switch (method.kind) {
    case 'debootstrap':
      return await bootstrapDebian(image);
    case 'dockerfile':
      return await buildFromDockerfile(image, method);
    case 'preload':
      return await preloadNode(image, method);
  }
}

async function buildFromDockerfile(image: LocalImage, method: BuildMethod & { kind: 'dockerfile' }): Promise<void> {
  await withFolder(async (folder) => {
    for (const ingredient of method.ingredients) await ingredient.place(folder);
    const dockerfile = path.join(folder, 'Dockerfile');
    await writeFile(dockerfile, method.dockerfile);
    await buildImage(folder, {
      reference: image.reference,
      dockerfile,
      hostNetwork: true,
      labels: { [contentLabel]: image.content },
      ...(method.base === undefined ? {} : { buildArguments: { BASE: method.base } }),
    });
  });
}

/** A minimal Debian, trimmed as the official slim image is. */
async function bootstrapDebian(image: LocalImage): Promise<void> {
  await ensureDebianCommand('debootstrap', 'debootstrap');
  await withFolder(async (folder) => {
    const root = path.join(folder, 'root');
    const mirror = await debianMirror();
    await run('debootstrap', ['--variant=minbase', versions.debian, root, mirror]);
    const suites = [
      `deb ${mirror} ${versions.debian} main`,
      `deb ${mirror} ${versions.debian}-updates main`,
      `deb ${mirror}-security ${versions.debian}-security main`,
    ];
    await writeFile(path.join(root, 'etc/apt/sources.list'), `${suites.join('\n')}\n`);
    const unwanted = ['doc', 'info', 'locale', 'man'].map((name) => `/usr/share/${name}`);
    const exclusions = unwanted.map((name) => `path-exclude ${name}/*\n`).join('');
    await writeFile(path.join(root, 'etc/dpkg/dpkg.cfg.d/trim'), exclusions);
    // Packages that are installed into an image must not start their services.
    await writeFile(path.join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    for (const name of [...unwanted, '/var/cache/apt/archives', '/var/lib/apt/lists']) {
      for (const entry of await readdir(path.join(root, name)))
        await rm(path.join(root, name, entry), { recursive: true });
    }
    // What this machine trusts: a proxy between it and the package registries may have an authority of its own.
    if (existsSync(`/${certificates}`)) {
      await mkdir(path.dirname(path.join(root, certificates)), { recursive: true });
      await copyFile(`/${certificates}`, path.join(root, certificates));
    }
    const label = `LABEL ${contentLabel}=${image.content}`;
    await runPipe(['tar', '-C', root, '-c', '.'], ['docker', 'import', '--change', label, '-', image.reference]);
  });
}

/** The mirror that this machine's own packages come from. */
async function debianMirror(): Promise<string> {
  for (const file of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(file)) continue;
    const mirror = /https?:\/\/\S+\/debian(?=\/?\s)/.exec(await readFile(file, 'utf8'))?.[0];
    if (mirror !== undefined) return mirror;
  }
  return defaultMirror;
}

/** Imports images into the containerd of a node that is not running yet. */
async function preloadNode(image: LocalImage, method: BuildMethod & { kind: 'preload' }): Promise<void> {
  const container = `postern-preload-${image.content}`;
  const inside = (script: string): Promise<string> => run('docker', ['exec', container, 'sh', '-c', script]);
  // Left over if an earlier try was interrupted.
  await attempt('docker', ['rm', '--force', container]);
  await run('docker', [
    'run',
    '--detach',
    '--privileged',
    '--network',
    'none',
    '--name',
    container,
    '--entrypoint',
    'sleep',
    method.base,
    'infinity',
  ]);
  try {
    await run('docker', ['exec', '--detach', container, 'sh', '-c', 'containerd >/tmp/containerd.log 2>&1']);
    await inside(
      'for i in $(seq 100); do ctr version >/dev/null 2>&1 && exit 0; sleep 0.2; done; cat /tmp/containerd.log; exit 1',
    );
    await runPipe(
      ['docker', 'save', ...method.carried],
      ['docker', 'exec', '-i', container, 'ctr', '-n', 'k8s.io', 'images', 'import', '-'],
    );
    await inside(
      'kill $(pidof containerd); while pidof containerd >/dev/null; do sleep 0.2; done; rm /tmp/containerd.log',
    );
    await run('docker', [
      'commit',
      '--change',
      'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
      '--change',
      'CMD []',
      '--change',
      `LABEL ${contentLabel}=${image.content}`,
      container,
      image.reference,
    ]);
  } finally {
    await attempt('docker', ['rm', '--force', container]);
  }
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
