#include "cryoscape/cli/torch_setup.hpp"

#include <spdlog/spdlog.h>
#include <torch/torch.h>

#include <chrono>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::cli {
namespace {

constexpr double kSlowGigaflops = 4;  ///< per product below: the reference BLAS reaches 1 to 2, OpenBLAS on one old core 15

double matrix_product_gigaflops() {
  const int n = 256;
  const auto a = torch::rand({n, n}), b = torch::rand({n, n});
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto c = torch::mm(a, b);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2e-9 * n * n * n / seconds);
  }
  return best;
}

}  // namespace

void set_up_torch() {
  torch::set_num_threads(thread_count());
  if (const double rate = matrix_product_gigaflops(); rate < kSlowGigaflops)
    spdlog::warn("warning: matrix products run at {:.1f} GFLOP/s, as with the reference BLAS: install OpenBLAS (Debian: libopenblas0-pthread)", rate);
}

}  // namespace cryoscape::cli
