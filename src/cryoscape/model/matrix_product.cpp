#include "cryoscape/model/matrix_product.hpp"

#include <barrier>

#include "cryoscape/util/blas_threads.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

/// Multiply-adds below which threads cost more than they bring.
constexpr double kSmall = 2e6;
/// Boundaries of parts are multiples of this many rows or columns, as BLAS kernels like them.
constexpr std::int64_t kAlignment = 16;

/// Calls body(first, count) for parts of [0, size), in parallel.
template <class Body>
void in_parts(std::int64_t size, double multiply_adds, const torch::Tensor& sample, Body&& body) {
  if (multiply_adds < kSmall || !sample.is_cpu()) return body(0, size);
  const auto blocks = static_cast<std::size_t>((size + kAlignment - 1) / kAlignment);
  parallel_ranges(blocks, [&](std::size_t begin, std::size_t end) {
    torch::NoGradGuard no_grad;  // of this thread
    const auto first = static_cast<std::int64_t>(begin) * kAlignment;
    body(first, std::min(size, static_cast<std::int64_t>(end) * kAlignment) - first);
  });
}

double work(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

}  // namespace

void prepare_matrix_products() {
  set_blas_threads(1);
  const auto threads = static_cast<std::size_t>(thread_count());
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  constexpr std::int64_t kLongEnough = 512;  // milliseconds, so that the calls overlap
  const auto x = torch::ones({kLongEnough, kLongEnough});
  parallel_for(threads, [&](std::size_t) {
    torch::NoGradGuard no_grad;
    together.arrive_and_wait();
    x.mm(x);
  });
}

torch::Tensor layer_output(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  torch::NoGradGuard no_grad;
  const auto outputs = weight.size(0);
  auto out = torch::empty({x.size(0), outputs}, x.options());
  in_parts(outputs, work(x.size(0), x.size(1), outputs), x, [&](std::int64_t first, std::int64_t count) {
    auto part = out.narrow(1, first, count);
    at::addmm_out(part, bias.narrow(0, first, count), x, weight.narrow(0, first, count).t());
  });
  return out;
}

torch::Tensor layer_input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight) {
  torch::NoGradGuard no_grad;
  const auto inputs = weight.size(1);
  auto out = torch::empty({gradient.size(0), inputs}, gradient.options());
  in_parts(inputs, work(gradient.size(0), gradient.size(1), inputs), gradient,
           [&](std::int64_t first, std::int64_t count) {
             auto part = out.narrow(1, first, count);
             at::mm_out(part, gradient, weight.narrow(1, first, count));
           });
  return out;
}

torch::Tensor layer_weight_gradient(const torch::Tensor& gradient, const torch::Tensor& x) {
  torch::NoGradGuard no_grad;
  const auto outputs = gradient.size(1);
  auto out = torch::empty({outputs, x.size(1)}, x.options());
  in_parts(outputs, work(x.size(0), x.size(1), outputs), x, [&](std::int64_t first, std::int64_t count) {
    auto part = out.narrow(0, first, count);
    at::mm_out(part, gradient.narrow(1, first, count).t(), x);
  });
  return out;
}

}  // namespace cryoscape::model
