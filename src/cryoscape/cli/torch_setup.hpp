#pragma once

namespace cryoscape::cli {

/// Gives libtorch the program's threads and an allocator that keeps large blocks, and warns if its matrix
/// products are as slow as the reference BLAS; `check` false leaves that to another process.
void set_up_torch(bool check = true);

}  // namespace cryoscape::cli
