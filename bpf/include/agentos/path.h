/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where a file is, in the mount namespace of its mount. */
#pragma once

#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "agentos/kernel.h"
#include "agentos/meter.h"

#define PATH_COMPONENTS 32

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

/* Bytes of the path of `file` that were written to `out` (AGENTOS_PATH of them are its end), 0 when there is none. A
 * file that has been moved or removed meanwhile has the path it had last. */
static __always_inline __u32 path_of(struct file* file, char* out) {
  const __u32 zero = 0;
  struct path_buffer* buffer = bpf_map_lookup_elem(&path_buffers, &zero);
  if (!buffer) return 0;
  struct dentry* dentry = BPF_CORE_READ(file, f_path.dentry);
  struct vfsmount* root_of = BPF_CORE_READ(file, f_path.mnt);
  struct mount* mount = (void*)root_of - bpf_core_field_offset(struct mount, mnt);
  __u32 at = AGENTOS_PATH; /* where the path begins in text */
  for (int i = 0; i < PATH_COMPONENTS; ++i) {
    if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
      struct mount* parent = BPF_CORE_READ(mount, mnt_parent);
      if (parent == mount) break;
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = parent;
      continue;
    }
    struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
    if (parent == dentry) { /* no mount has it: a memfd, a pipe */
      if (at != AGENTOS_PATH) break;
    }
    __u32 size = BPF_CORE_READ(dentry, d_name.len);
    if (size > 255) size = 255;
    if (size + 1 > at) break;
    at -= size + 1;
    if (at >= AGENTOS_PATH) break;
    buffer->text[at] = '/';
    bpf_probe_read_kernel(buffer->text + at + 1, size & 255, BPF_CORE_READ(dentry, d_name.name));
    if (parent == dentry) break;
    dentry = parent;
  }
  __u32 size = AGENTOS_PATH - at;
  if (size == 0 || size > AGENTOS_PATH || at > AGENTOS_PATH) return 0;
  bpf_probe_read_kernel(out, size, buffer->text + at);
  return size;
}
