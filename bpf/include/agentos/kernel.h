/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The fields of the kernel that are read here. Where they are is found out when a program is loaded (CO-RE), so that
 * one build fits every kernel with BTF. Types and names as in Linux 6.1 and 6.18. */
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
  __u32 len;
  const unsigned char* name;
};

struct super_block {
  __u32 s_dev;
};

struct inode {
  struct super_block* i_sb;
  unsigned long i_ino;
  unsigned int i_nlink;
};

struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct file {
  struct path f_path;
  struct inode* f_inode;
};

struct linux_binprm {
  struct file* file;
  const char* filename;
  const char* interp;
  char buf[256]; /* what the file begins with */
};

struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
};

typedef struct {
  int counter;
} atomic_t;

struct signal_struct {
  atomic_t live;
  int group_exit_code;
};

struct task_struct {
  int pid;
  int tgid;
  int exit_code;
  struct task_struct* real_parent;
  struct signal_struct* signal;
  struct mm_struct* mm;
};

#pragma clang attribute pop
