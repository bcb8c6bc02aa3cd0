#include "sandbox/compile/seccomp_sets.hpp"

#include <algorithm>
#include <array>

#include "sandbox/compile/system_calls.hpp"

namespace agentos::sandbox {
namespace {

using std::to_array;

// clang-format off: a list reads as a list
constexpr auto process = to_array<int>({
    SYS_fork, SYS_vfork, SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_getpid,
    SYS_getppid, SYS_gettid, SYS_getpgid, SYS_getpgrp, SYS_setpgid, SYS_getsid, SYS_setsid, SYS_pidfd_open,
    SYS_set_tid_address, SYS_arch_prctl, SYS_getrlimit, SYS_setrlimit, SYS_prlimit64, SYS_getrusage, SYS_times,
    SYS_sysinfo, SYS_uname, SYS_getcpu, SYS_umask, SYS_getpriority, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_setparam,
    SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_sched_getattr, SYS_sched_setattr, SYS_sched_get_priority_max,
    SYS_sched_get_priority_min, SYS_sched_rr_get_interval, SYS_process_mrelease,
    // breakpoints that somebody on the host has set: the kernel's own trampoline makes these
    call::uretprobe, call::uprobe});

// agentos-init becomes the agent with these; the agent has no capability, so for it they change nothing.
constexpr auto identity = to_array<int>({
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getresuid, SYS_getresgid, SYS_setuid,
    SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid,
    SYS_capget, SYS_capset});

constexpr auto signal = to_array<int>({
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo, SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_pause, SYS_kill, SYS_tkill,
    SYS_tgkill, SYS_pidfd_send_signal, SYS_signalfd, SYS_signalfd4, SYS_restart_syscall});

constexpr auto memory = to_array<int>({
    SYS_munmap, SYS_mremap, SYS_mprotect, SYS_msync, SYS_brk, SYS_madvise, SYS_mincore, SYS_mlock, SYS_mlock2,
    SYS_munlock, SYS_mlockall, SYS_munlockall, SYS_pkey_alloc, SYS_pkey_free, SYS_pkey_mprotect,
    SYS_memfd_secret, SYS_membarrier, SYS_mbind, SYS_get_mempolicy, SYS_set_mempolicy, SYS_set_mempolicy_home_node,
    call::map_shadow_stack, call::mseal});

constexpr auto thread = to_array<int>({
    SYS_futex, SYS_futex_waitv, call::futex_wake, call::futex_wait, call::futex_requeue, SYS_set_robust_list,
    SYS_get_robust_list, SYS_rseq});

constexpr auto time = to_array<int>({
    SYS_time, SYS_gettimeofday, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_alarm,
    SYS_getitimer, SYS_setitimer, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun,
    SYS_timer_delete, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime});

constexpr auto descriptor = to_array<int>({
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_close, SYS_close_range, SYS_dup, SYS_dup2, SYS_dup3, SYS_fcntl, SYS_flock, SYS_pipe,
    SYS_pipe2, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_create, SYS_epoll_create1, SYS_epoll_ctl,
    SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd, SYS_eventfd2, SYS_inotify_init, SYS_inotify_init1,
    SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice, SYS_copy_file_range});

constexpr auto file = to_array<int>({
    SYS_stat, SYS_fstat, SYS_lstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_access, SYS_faccessat,
    SYS_faccessat2, SYS_getdents, SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_readlink, SYS_readlinkat,
    SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_rename, SYS_renameat, SYS_renameat2,
    SYS_rmdir, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs,
    SYS_sync_file_range, SYS_fadvise64, SYS_readahead, SYS_utime, SYS_utimes, SYS_utimensat, SYS_futimesat, SYS_chown,
    SYS_fchown, SYS_lchown, SYS_fchownat, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_setxattr, SYS_lsetxattr,
    SYS_fsetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    call::getxattrat, call::setxattrat, call::listxattrat, call::removexattrat});

constexpr auto network = to_array<int>({
    SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_shutdown, SYS_getsockname, SYS_getpeername,
    SYS_getsockopt, SYS_setsockopt, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg});

// In an IPC namespace of the agent's own.
constexpr auto ipc = to_array<int>({
    SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl, SYS_msgget,
    SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend, SYS_mq_timedreceive,
    SYS_mq_notify, SYS_mq_getsetattr});

// A program may always take more away from itself.
constexpr auto narrowing = to_array<int>({
    SYS_getrandom, SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self});

constexpr auto by_argument = to_array<int>({
    SYS_open, SYS_openat, SYS_creat, SYS_chmod, SYS_fchmod, SYS_fchmodat, call::fchmodat2, SYS_mkdir, SYS_mkdirat,
    SYS_mknod, SYS_mknodat, SYS_clone, SYS_unshare, SYS_socket, SYS_socketpair, SYS_ioctl, SYS_prctl, SYS_seccomp,
    SYS_personality, SYS_mmap, SYS_memfd_create, SYS_shmget});

constexpr auto mounts = to_array<int>({
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, call::open_tree_attr, SYS_move_mount, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_swapon, SYS_swapoff, SYS_quotactl, SYS_quotactl_fd,
    SYS_acct, SYS_ustat, SYS_sysfs});

constexpr auto namespaces = to_array<int>({
    SYS_setns, SYS_sethostname, SYS_setdomainname});

// gdb and strace inside an agent would be welcome. But ptrace rewrites the registers of a call behind whoever judged it,
// and was part of many ways out of sandboxes: agents do without.
constexpr auto other_processes = to_array<int>({
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, SYS_pidfd_getfd, SYS_kcmp,
    SYS_move_pages, SYS_migrate_pages});

constexpr auto kernel_programs = to_array<int>({
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd});

constexpr auto keys = to_array<int>({
    SYS_keyctl, SYS_add_key, SYS_request_key});

constexpr auto handles = to_array<int>({
    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init, SYS_fanotify_mark});

constexpr auto machine = to_array<int>({
    SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot,
    SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_iopl, SYS_ioperm, SYS_syslog, SYS_vhangup,
    call::lsm_set_self_attr});

constexpr auto obsolete = to_array<int>({
    SYS_uselib, SYS_modify_ldt, SYS_lookup_dcookie, SYS_remap_file_pages});

// The kernel has none of these any more, or never had.
constexpr auto gone = to_array<int>({
    SYS__sysctl, SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg,
    SYS_afs_syscall, SYS_tuxcall, SYS_security, SYS_set_thread_area, SYS_get_thread_area, SYS_epoll_ctl_old,
    SYS_epoll_wait_old, SYS_vserver});

// Calls that keep their flags in memory, where a filter sees nothing and another thread can write, and rings whose
// requests pass no filter. And the older asynchronous I/O, whose requests all users of a host take from one pool
// (fs.aio-max-nr): an agent could take them all, and the host's databases would get none. Every user of theirs falls
// back.
constexpr auto fall_back = to_array<int>({
    SYS_clone3, SYS_openat2, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup,
    SYS_io_destroy, SYS_io_submit, SYS_io_cancel, SYS_io_getevents, SYS_io_pgetevents});

// New, needed by nobody yet, and callers fall back.
constexpr auto later = to_array<int>({
    call::cachestat, call::statmount, call::listmount, call::lsm_get_self_attr, call::lsm_list_modules,
    call::file_getattr, call::file_setattr, call::listns});

// clang-format on

constexpr std::array sets{
    CallSet{"process", Verdict::allow, process},
    CallSet{"identity", Verdict::allow, identity},
    CallSet{"signal", Verdict::allow, signal},
    CallSet{"memory", Verdict::allow, memory},
    CallSet{"thread", Verdict::allow, thread},
    CallSet{"time", Verdict::allow, time},
    CallSet{"descriptor", Verdict::allow, descriptor},
    CallSet{"file", Verdict::allow, file},
    CallSet{"network", Verdict::allow, network},
    CallSet{"ipc", Verdict::allow, ipc},
    CallSet{"narrowing", Verdict::allow, narrowing},
    CallSet{"by-argument", Verdict::by_argument, by_argument},
    CallSet{"mounts", Verdict::refuse, mounts},
    CallSet{"namespaces", Verdict::refuse, namespaces},
    CallSet{"other-processes", Verdict::refuse, other_processes},
    CallSet{"kernel-programs", Verdict::refuse, kernel_programs},
    CallSet{"keys", Verdict::refuse, keys},
    CallSet{"handles", Verdict::refuse, handles},
    CallSet{"machine", Verdict::refuse, machine},
    CallSet{"obsolete", Verdict::refuse, obsolete},
    CallSet{"gone", Verdict::not_there, gone},
    CallSet{"fall-back", Verdict::not_there, fall_back},
    CallSet{"later", Verdict::not_there, later},
};

// Of the allowed ones: kernel memory that outlives its user, other schedulers, and what only changes how the kernel
// treats the program.
constexpr auto not_strict =
    to_array<int>({SYS_memfd_secret, SYS_mlock, SYS_mlock2, SYS_mlockall, SYS_personality, SYS_unshare,
                   SYS_sched_setattr, SYS_sched_setscheduler, SYS_sched_setparam, SYS_ioprio_set, SYS_vmsplice,
                   SYS_mbind, SYS_set_mempolicy, SYS_set_mempolicy_home_node});

}  // namespace

std::span<const CallSet> call_sets() {
  return sets;
}

bool strict_refuses(int call) {
  const auto has = [&](const auto& calls) { return std::ranges::find(calls, call) != calls.end(); };
  return has(ipc) || has(not_strict);
}

}  // namespace agentos::sandbox
