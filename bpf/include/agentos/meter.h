/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the BPF programs count and tell: the one description of it, for them (C) and for those who read it (C++).
 * Every struct has no padding: src/spawnd/meter.cpp asserts it. Numbers are in the host's byte order unless said. */
#pragma once

#include <linux/types.h>

/* Part of the name under which maps are pinned: another layout has other maps. */
#define AGENTOS_METER_LAYOUT 1

/* Rows of the accounts: one for each range of host uids, and of the same number. */
#define AGENTOS_ACCOUNTS 16000

/* What an agent's cgroup and those below it did since the agent was started. Of processes: of all of them, agentos-init
 * with them. Bytes and packets as the network layer sees them (skb->len from the IP header on), the loopback's too. */
struct agentos_account {
  __u64 cgroup;   /* id of the agent's cgroup (its inode number); 0: nobody's */
  __u64 forks;    /* new processes */
  __u64 threads;  /* new threads of a process */
  __u64 execs;    /* programs that were executed */
  __u64 exits;    /* processes that ended */
  __u64 connects; /* connect(2) and sendto(2) to an internet address that were asked for */
  __u64 sent_bytes, sent_packets;
  __u64 received_bytes, received_packets;
  __u64 events;  /* told through the ring buffer */
  __u64 dropped; /* events that found it full */
};

enum agentos_event_kind {
  AGENTOS_EVENT_EXEC = 1,
  AGENTOS_EVENT_EXIT = 2,
  AGENTOS_EVENT_CONNECT = 3,
};

struct agentos_event {
  __u64 time;   /* CLOCK_BOOTTIME, nanoseconds */
  __u64 cgroup; /* of the agent */
  __u32 row;    /* of the accounts */
  __u32 kind;   /* enum agentos_event_kind */
  __s32 pid;    /* process, in the host's pid namespace */
  __s32 parent; /* its parent there */
  __u32 uid;    /* of the host */
  __u32 size;   /* of the whole record, bytes */
};

/* A file as the kernel knows it. With links of 0 it has no name: a memfd, or unlinked. */
struct agentos_file {
  __u64 inode;
  __u32 device; /* major << 20 | minor */
  __u32 links;
};

#define AGENTOS_PATH 512 /* bytes of a path; a longer one keeps its end */
#define AGENTOS_ARGUMENTS 512

/* A program was executed. Of a script, `file` and `path` are the script's and `interpreter` what runs it; else both are
 * the same file. */
struct agentos_exec {
  struct agentos_event event;
  struct agentos_file file;
  struct agentos_file interpreter;
  __u32 path_size;         /* of path, which has no end mark */
  __u32 arguments_size;    /* of arguments: what fits of argv, each ended by 0 */
  __u32 named_size;        /* of named */
  __u32 arguments_total;   /* bytes that argv has */
  char path[AGENTOS_PATH]; /* in the agent's mount namespace, where the file really is */
  char named[256];         /* as execve(2) was asked for it */
  char arguments[AGENTOS_ARGUMENTS];
};

/* A process (its last thread) ended. */
struct agentos_exit {
  struct agentos_event event;
  __s32 status; /* as wait(2) tells it */
  __u32 reserved;
};

/* An internet address was asked for: by connect(2), or by sendto(2) and its kin. */
struct agentos_connect {
  struct agentos_event event;
  __u32 family;   /* AF_INET or AF_INET6 */
  __u32 protocol; /* IPPROTO_TCP, IPPROTO_UDP, ... */
  __u32 port;     /* host byte order */
  __u32 reserved;
  __u8 address[16]; /* network byte order; IPv4 in the first four */
};
