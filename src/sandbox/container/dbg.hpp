#pragma once
#include <sys/mman.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
namespace dbg {
struct Page {
  int n;
  struct {
    const char* w;
    long long t;
  } s[200];
};
inline Page* page =
    static_cast<Page*>(mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
inline void at(const char* w) {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  if (page->n < 200) page->s[page->n++] = {w, t.tv_sec * 1000000000LL + t.tv_nsec};
}
inline void dump() {
  FILE* f = fopen("/tmp/stamps", "a");
  for (int i = 0; i < page->n; i++)
    fprintf(f, "%s %.1f\n", page->s[i].w, i ? (page->s[i].t - page->s[i - 1].t) / 1e3 : 0.0);
  fprintf(f, "total %.1f\n", (page->s[page->n - 1].t - page->s[0].t) / 1e3);
  fclose(f);
  page->n = 0;
}
}  // namespace dbg
