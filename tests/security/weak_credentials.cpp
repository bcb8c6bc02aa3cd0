// The credentials of agentos-init, but for the step that everything rests on.
#define become become_as_it_should
#include "init/credentials.cpp"  // NOLINT: all of it but that one name
#undef become

namespace agentos::init {

int become(const Credentials& agent);
int become(const Credentials&) {
  return 0;
}

}  // namespace agentos::init
