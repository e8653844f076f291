#pragma once

namespace cryoscape {

/// Sets how many threads of its own an OpenBLAS in this process uses; nothing happens with another BLAS.
void set_blas_threads(int threads);

}  // namespace cryoscape
