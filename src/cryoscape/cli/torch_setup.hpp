#pragma once

namespace cryoscape::cli {

/// Gives libtorch the program's threads and an allocator that keeps large blocks, and warns if its matrix
/// products are as slow as the reference BLAS.
void set_up_torch();

}  // namespace cryoscape::cli
