import { describe, expect, it } from 'vitest';

import { binaries } from '../toolchain.ts';
import { images } from '../versions.ts';
import { openWorkspace } from '../workspace.ts';
import { closureOf, describeLocalImages, missingImages } from './local.ts';

const local = describeLocalImages(openWorkspace({ XDG_CACHE_HOME: '/tmp/cache' }));

describe('describeLocalImages', () => {
  it('is the same for every clone', () => {
    const elsewhere = describeLocalImages(openWorkspace({ XDG_CACHE_HOME: '/elsewhere' }));
    expect(elsewhere.node.reference).toBe(local.node.reference);
  });

  it('builds every image that kubeadm and the cluster ask for', () => {
    const built = new Set(closureOf([local.node]).map((image) => image.reference));
    const pulled: readonly string[] = [images.node, images.base, images.nodeRuntime];
    expect(Object.values(images).filter((image) => !pulled.includes(image) && !built.has(image))).toEqual([]);
  });

  it('uses programs that the toolchain has', () => {
    const known = new Set(binaries.map((binary) => binary.name));
    const used = closureOf(Object.values(local)).flatMap((image) => image.binaries);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('missingImages', () => {
  it('puts each image after what it needs', () => {
    const order = closureOf([local.node]);
    for (const [index, image] of order.entries()) {
      const before = order.slice(0, index);
      expect(image.needs.filter((needed) => !before.includes(needed))).toEqual([]);
    }
  });

  it('builds nothing on the way to an image that is there', () => {
    expect(missingImages([local.node], (image) => image === local.node)).toEqual([]);
    expect(missingImages([local.node], (image) => image !== local.node)).toEqual([local.node]);
  });
});
