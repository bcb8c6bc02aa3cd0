/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Processes of agents: forks, executed programs, ends. */
#include <linux/bpf.h>

#include <bpf/bpf_tracing.h>

#include "agentos/account.h"
#include "agentos/path.h"

char program_license[] SEC("license") = "GPL";

/* Of a thread that is about to execute a script: the script, before its interpreter takes its place. */
struct script {
  struct agentos_file file;
  __u32 path_size;
  char path[AGENTOS_PATH];
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, struct script);
} scripts SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct script);
} scratch SEC(".maps");

static __always_inline void describe(struct file* file, struct agentos_file* out) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  out->inode = BPF_CORE_READ(inode, i_ino);
  out->device = BPF_CORE_READ(inode, i_sb, s_dev);
  out->links = BPF_CORE_READ(inode, i_nlink);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct* parent, struct task_struct* child) {
  struct agent agent;
  if (!current_agent(&agent)) return 0;
  count(BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid) ? &agent.account->forks : &agent.account->threads, 1);
  return 0;
}

/* Called for the file that was named and again for each interpreter. Where the kernel does not let this be attached,
 * scripts are known by the name they were asked for by. */
SEC("?fentry/security_bprm_check")
int BPF_PROG(asked_for, struct linux_binprm* program) {
  struct agent agent;
  if (!current_agent(&agent)) return 0;
  if (BPF_CORE_READ(program, filename) != BPF_CORE_READ(program, interp)) return 0;
  char magic[2];
  bpf_core_read(magic, sizeof magic, &program->buf);
  if (magic[0] != '#' || magic[1] != '!') return 0;
  const __u32 zero = 0;
  struct script* script = bpf_map_lookup_elem(&scratch, &zero);
  if (!script) return 0;
  struct file* file = BPF_CORE_READ(program, file);
  describe(file, &script->file);
  script->path_size = path_of(file, script->path);
  const __u64 thread = bpf_get_current_pid_tgid();
  bpf_map_update_elem(&scripts, &thread, script, BPF_ANY);
  return 0;
}

static __always_inline void tell_program(struct agentos_exec* record, const struct linux_binprm* program,
                                         __u64 thread) {
  struct file* file = BPF_CORE_READ(program, file);
  describe(file, &record->interpreter);
  if (BPF_CORE_READ(program, filename) == BPF_CORE_READ(program, interp)) {
    record->file = record->interpreter;
    record->path_size = path_of(file, record->path);
    return;
  }
  const struct script* script = bpf_map_lookup_elem(&scripts, &thread);
  if (script) {
    record->file = script->file;
    record->path_size = script->path_size;
    bpf_probe_read_kernel(record->path, sizeof record->path, script->path);
    bpf_map_delete_elem(&scripts, &thread);
  }
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct* task, int old_pid, struct linux_binprm* program) {
  struct agent agent;
  if (!current_agent(&agent)) return 0;
  count(&agent.account->execs, 1);
  struct agentos_exec* record = reserve(&agent, sizeof *record, AGENTOS_EVENT_EXEC);
  if (!record) return 0;
  record->file = (struct agentos_file){};
  record->path_size = 0;
  /* A thread that executes a program becomes the leader of its group, and had another pid before. */
  tell_program(record, program, bpf_get_current_pid_tgid() >> 32 << 32 | (__u32)old_pid);
  const long named = bpf_probe_read_kernel_str(record->named, sizeof record->named, BPF_CORE_READ(program, filename));
  record->named_size = named > 0 ? named - 1 : 0;
  const unsigned long start = BPF_CORE_READ(task, mm, arg_start);
  const unsigned long total = BPF_CORE_READ(task, mm, arg_end) - start;
  __u32 size = total < AGENTOS_ARGUMENTS ? total : AGENTOS_ARGUMENTS;
  record->arguments_total = total;
  if (bpf_probe_read_user(record->arguments, size, (const void*)start) != 0) size = 0;
  record->arguments_size = size;
  bpf_ringbuf_submit(record, 0);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(ended, struct task_struct* task) {
  struct agent agent;
  if (!current_agent(&agent)) return 0;
  struct signal_struct* group = BPF_CORE_READ(task, signal);
  if (BPF_CORE_READ(group, live.counter) != 0) return 0; /* other threads of it go on */
  count(&agent.account->exits, 1);
  struct agentos_exit* record = reserve(&agent, sizeof *record, AGENTOS_EVENT_EXIT);
  if (!record) return 0;
  const int of_group = BPF_CORE_READ(group, group_exit_code);
  record->status = of_group ? of_group : BPF_CORE_READ(task, exit_code);
  record->reserved = 0;
  bpf_ringbuf_submit(record, 0);
  return 0;
}
