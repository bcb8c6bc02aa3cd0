#pragma once

#include <sys/syscall.h>

#if !defined(__x86_64__)
#error "the lists of system calls are those of x86-64"
#endif

// Numbers of system calls newer than the headers of Debian 12. From 424 on they are the same on every architecture.
namespace agentos::sandbox::call {

constexpr int uretprobe = 335;
constexpr int uprobe = 336;
constexpr int cachestat = 451;
constexpr int fchmodat2 = 452;
constexpr int map_shadow_stack = 453;
constexpr int futex_wake = 454;
constexpr int futex_wait = 455;
constexpr int futex_requeue = 456;
constexpr int statmount = 457;
constexpr int listmount = 458;
constexpr int lsm_get_self_attr = 459;
constexpr int lsm_set_self_attr = 460;
constexpr int lsm_list_modules = 461;
constexpr int mseal = 462;
constexpr int setxattrat = 463;
constexpr int getxattrat = 464;
constexpr int listxattrat = 465;
constexpr int removexattrat = 466;
constexpr int open_tree_attr = 467;
constexpr int file_getattr = 468;
constexpr int file_setattr = 469;
constexpr int listns = 470;

constexpr int first_unified = 424;  // between the last of x86-64's own numbers and this one there is none
constexpr int newest = listns;      // of Linux 6.18: what comes after is not known, and answers ENOSYS
constexpr unsigned x32_bit = 0x40000000;

}  // namespace agentos::sandbox::call
