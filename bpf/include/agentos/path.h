/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where a file is, in the mount namespace of its mount. */
#pragma once

#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "agentos/kernel.h"
#include "agentos/meter.h"

#define PATH_COMPONENTS 64 /* mounts with them */

/* The path is put together from its end. */
struct path_buffer {
  char text[2 * AGENTOS_PATH];
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct path_buffer);
} path_buffers SEC(".maps");

struct walk {
  struct dentry* dentry;
  struct mount* mount;
  __u32 at; /* where the path begins in text */
};

/* One component, or one mount, further to the root; 1: that was the last one. As a loop of the kernel's (bpf_loop), it
 * is verified once, not for each component. */
static long walk_on(__u32 index, void* context) {
  struct walk* walk = context;
  const __u32 zero = 0;
  struct path_buffer* buffer = bpf_map_lookup_elem(&path_buffers, &zero);
  if (!buffer) return 1;
  struct dentry* dentry = walk->dentry;
  struct mount* mount = walk->mount;
  if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
    struct mount* above = BPF_CORE_READ(mount, mnt_parent);
    if (above == mount) return 1;
    walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    walk->mount = above;
    return 0;
  }
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  __u32 at = walk->at;
  if (parent == dentry && at != AGENTOS_PATH) return 1; /* no mount has it: a memfd, a pipe */
  __u32 size = BPF_CORE_READ(dentry, d_name.len);
  if (size > 255) size = 255;
  if (size + 1 > at) return 1;
  at -= size + 1;
  if (at >= AGENTOS_PATH) return 1;
  buffer->text[at] = '/';
  bpf_probe_read_kernel(buffer->text + at + 1, size & 255, BPF_CORE_READ(dentry, d_name.name));
  walk->at = at;
  if (parent == dentry) return 1;
  walk->dentry = parent;
  return 0;
}

/* Bytes of the path of `file` that were written to `out` (AGENTOS_PATH of them are its end), 0 when there is none. A
 * file that has been moved or removed meanwhile has the path it had last. */
static __always_inline __u32 path_of(struct file* file, char* out) {
  const __u32 zero = 0;
  struct path_buffer* buffer = bpf_map_lookup_elem(&path_buffers, &zero);
  if (!buffer) return 0;
  struct vfsmount* root_of = BPF_CORE_READ(file, f_path.mnt);
  struct walk walk = {.dentry = BPF_CORE_READ(file, f_path.dentry),
                      .mount = (void*)root_of - bpf_core_field_offset(struct mount, mnt),
                      .at = AGENTOS_PATH};
  bpf_loop(PATH_COMPONENTS, walk_on, &walk, 0);
  const __u32 at = walk.at;
  const __u32 size = AGENTOS_PATH - at;
  if (size == 0 || size > AGENTOS_PATH || at > AGENTOS_PATH) return 0;
  bpf_probe_read_kernel(out, size, buffer->text + at);
  return size;
}
