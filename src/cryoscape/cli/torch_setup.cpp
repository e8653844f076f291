#include "cryoscape/cli/torch_setup.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::cli {
namespace {

constexpr int kSize = 256;
constexpr double kOptimised =
    2;  ///< times a plain loop: the reference BLAS is about as fast as that, OpenBLAS five times and more

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void plain_product(const float* a, const float* b, float* c) {
  for (int i = 0; i < kSize; ++i)
    for (int k = 0; k < kSize; ++k)
      for (int j = 0; j < kSize; ++j) c[i * kSize + j] += a[i * kSize + k] * b[k * kSize + j];
}

/// Speed of libtorch's matrix product as a multiple of a plain loop's, on one thread, the best of several
/// turns each: on a busy machine both suffer.
double matrix_product_speed() {
  const auto a = torch::rand({kSize, kSize}), b = torch::rand({kSize, kSize});
  auto c = torch::zeros({kSize, kSize});
  double plain = 1e9, library = 1e9;
  for (int turn = 0; turn < 4; ++turn) {
    library = std::min(library, seconds_of([&] { torch::mm_out(c, a, b); }));
    plain = std::min(plain, seconds_of([&] {
                       plain_product(a.data_ptr<float>(), b.data_ptr<float>(), c.data_ptr<float>());
                     }));
  }
  return plain / library;
}

/// Gradients of large layers are tens of megabytes: by default glibc maps such blocks anew at every step, and
/// the kernel clears every page of them.
void keep_large_blocks() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

/// Large matrix products are divided among this program's own threads, like its kernels. Teams of OpenMP or
/// of the BLAS would spin between operations on the cores that these and the loader need.
void leave_threads_to_this_program() {
  torch::set_num_threads(1);
  model::prepare_matrix_products();
}

/// Warns of a slow BLAS.
void check_matrix_products() {
  if (const double speed = matrix_product_speed(); speed < kOptimised)
    spdlog::warn(
        "warning: matrix products run at only {:.1f} times a plain loop's speed, as with the reference BLAS: "
        "install OpenBLAS "
        "(Debian: libopenblas0-pthread)",
        speed);
}

}  // namespace

void set_up_torch(bool check) {
  keep_large_blocks();
  leave_threads_to_this_program();
  if (check) check_matrix_products();
}

}  // namespace cryoscape::cli
