/* A file system that a user serves: a folder with one file. From SIGUSR1 on nothing is answered any more. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t silent;
static const char content[] = "served\n";

static void fall_silent(int number) {
  (void)number;
  silent = 1;
}

static void answer_or_not(void) {
  while (silent) pause();
}

static int get_attributes(const char* path, struct stat* status, struct fuse_file_info* file) {
  (void)file;
  answer_or_not();
  memset(status, 0, sizeof *status);
  status->st_uid = getuid();
  status->st_gid = getgid();
  if (strcmp(path, "/") == 0) {
    status->st_mode = S_IFDIR | 0755;
    status->st_nlink = 2;
    return 0;
  }
  if (strcmp(path, "/file") != 0) return -ENOENT;
  status->st_mode = S_IFREG | 0644;
  status->st_nlink = 1;
  status->st_size = sizeof content - 1;
  return 0;
}

static int list(const char* path, void* to, fuse_fill_dir_t fill, off_t at, struct fuse_file_info* file,
                enum fuse_readdir_flags flags) {
  (void)path, (void)at, (void)file, (void)flags;
  answer_or_not();
  fill(to, ".", NULL, 0, 0);
  fill(to, "..", NULL, 0, 0);
  fill(to, "file", NULL, 0, 0);
  return 0;
}

static int read_content(const char* path, char* to, size_t size, off_t at, struct fuse_file_info* file) {
  (void)path, (void)file;
  answer_or_not();
  if ((size_t)at >= sizeof content - 1) return 0;
  const size_t left = sizeof content - 1 - (size_t)at;
  const size_t count = size < left ? size : left;
  memcpy(to, content + at, count);
  return (int)count;
}

int main(int count, char** arguments) {
  static const struct fuse_operations operations = {.getattr = get_attributes, .readdir = list, .read = read_content};
  signal(SIGUSR1, fall_silent);
  return fuse_main(count, arguments, &operations, NULL);
}
