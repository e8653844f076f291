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

torch::Tensor rounded(const torch::Tensor& factor, Precision precision) {
  return precision == Precision::bfloat16 ? factor.to(torch::kBFloat16) : factor;
}

/// out = a b, where one of the factors may be rounded already.
void product_into(torch::Tensor out, const torch::Tensor& a, const torch::Tensor& b, Precision precision) {
  if (precision == Precision::float32)
    at::mm_out(out, a, b);
  else
    out.copy_(at::mm(rounded(a, precision), rounded(b, precision)));
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
    torch::set_num_threads(1);  // MKL and oneDNN keep it per thread
    together.arrive_and_wait();
    x.mm(x);
  });
}

bool has_bfloat16(const torch::Device& device) {
#ifdef __x86_64__
  if (device.is_cpu()) return __builtin_cpu_supports("avx512bf16");
#endif
  return device.is_cuda();
}

torch::Tensor layer_output(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                           Precision precision) {
  torch::NoGradGuard no_grad;
  const auto outputs = weight.size(0);
  auto out = torch::empty({x.size(0), outputs}, x.options());
  const auto factor = rounded(x, precision);
  in_parts(outputs, work(x.size(0), x.size(1), outputs), x, [&](std::int64_t first, std::int64_t count) {
    auto part = out.narrow(1, first, count);
    const auto w = weight.narrow(0, first, count), b = bias.narrow(0, first, count);
    if (precision == Precision::float32)
      at::addmm_out(part, b, x, w.t());
    else
      part.copy_(at::mm(factor, rounded(w, precision).t())).add_(b);
  });
  return out;
}

torch::Tensor layer_input_gradient(const torch::Tensor& gradient, const torch::Tensor& weight,
                                   Precision precision) {
  torch::NoGradGuard no_grad;
  const auto inputs = weight.size(1);
  auto out = torch::empty({gradient.size(0), inputs}, gradient.options());
  const auto factor = rounded(gradient, precision);
  in_parts(inputs, work(gradient.size(0), gradient.size(1), inputs), gradient,
           [&](std::int64_t first, std::int64_t count) {
             product_into(out.narrow(1, first, count), factor, weight.narrow(1, first, count), precision);
           });
  return out;
}

torch::Tensor layer_weight_gradient(const torch::Tensor& gradient, const torch::Tensor& x,
                                    Precision precision) {
  torch::NoGradGuard no_grad;
  const auto outputs = gradient.size(1);
  auto out = torch::empty({outputs, x.size(1)}, x.options());
  const auto factor = rounded(x, precision);
  in_parts(outputs, work(x.size(0), x.size(1), outputs), x, [&](std::int64_t first, std::int64_t count) {
    product_into(out.narrow(0, first, count), gradient.narrow(1, first, count).t(), factor, precision);
  });
  return out;
}

}  // namespace cryoscape::model
