#include "cryoscape/util/blas_threads.hpp"

#include <dlfcn.h>

namespace cryoscape {

void set_blas_threads(int threads) {
  if (auto* set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set(threads);
}

}  // namespace cryoscape
