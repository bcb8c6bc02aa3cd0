/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Whose doing it is, and where it is counted. */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "agentos/kernel.h"
#include "agentos/meter.h"

/* Levels of the cgroup tree between its root and an agent's cgroup; set before the program is loaded. */
const volatile __u32 agent_level = 3;

/* The id of an agent's cgroup -> its row. Whoever is not here is not counted. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, AGENTOS_ACCOUNTS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64);
  __type(value, __u32);
} agents SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, AGENTOS_ACCOUNTS);
  __type(key, __u32);
  __type(value, struct agentos_account);
} accounts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4 << 20);
} events SEC(".maps");

struct agent {
  __u64 cgroup;
  __u32 row;
  struct agentos_account* account;
};

static __always_inline int find_agent(__u64 cgroup, struct agent* agent) {
  if (cgroup == 0) return 0;
  const __u32* row = bpf_map_lookup_elem(&agents, &cgroup);
  if (!row) return 0;
  agent->cgroup = cgroup;
  agent->row = *row;
  agent->account = bpf_map_lookup_elem(&accounts, row);
  return agent->account != 0;
}

/* The agent that the running process belongs to: 0 where it is none's. */
static __always_inline int current_agent(struct agent* agent) {
  return find_agent(bpf_get_current_ancestor_cgroup_id(agent_level), agent);
}

static __always_inline void count(__u64* counter, __u64 by) {
  __sync_fetch_and_add(counter, by);
}

/* Room for a record, or 0: then it is counted as dropped. */
static __always_inline void* reserve(const struct agent* agent, __u64 size, __u32 kind) {
  struct agentos_event* event = bpf_ringbuf_reserve(&events, size, 0);
  if (!event) {
    count(&agent->account->dropped, 1);
    return 0;
  }
  count(&agent->account->events, 1);
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  event->time = bpf_ktime_get_boot_ns();
  event->cgroup = agent->cgroup;
  event->row = agent->row;
  event->kind = kind;
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->parent = BPF_CORE_READ(task, real_parent, tgid);
  event->uid = (__u32)bpf_get_current_uid_gid();
  event->size = size;
  return event;
}
