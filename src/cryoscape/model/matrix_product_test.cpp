#include "cryoscape/model/matrix_product.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace

TEST(MatrixProduct, LayersAgreeWithLibtorchForAnySizeAndNumberOfThreads) {
  torch::manual_seed(1);
  const int threads = thread_count();
  for (const int n : {1, 2, 3}) {
    set_thread_count(n);
    // Small, large, large without rows to spare, and no batch at all.
    for (const auto& [batch, inputs, outputs] :
         {std::array<std::int64_t, 3>{3, 5, 7}, {64, 300, 250}, {33, 5000, 17}, {20, 9, 20001}, {0, 6, 4}}) {
      const auto x = torch::randn({batch, inputs}), w = torch::randn({outputs, inputs}),
                 b = torch::randn({outputs}), g = torch::randn({batch, outputs});
      if (batch == 0) {
        EXPECT_EQ(layer_output(x, w, b).sizes(), g.sizes());
        EXPECT_EQ(layer_weight_gradient(g, x).abs().sum().item<double>(), 0);
        continue;
      }
      EXPECT_LT(difference(layer_output(x, w, b), torch::linear(x, w, b)), 1e-3);
      EXPECT_LT(difference(layer_input_gradient(g, w), g.mm(w)), 1e-3);
      EXPECT_LT(difference(layer_weight_gradient(g, x), g.t().mm(x)), 1e-3);
    }
  }
  set_thread_count(threads);
}

// Factors are rounded to 8 bits and so is what comes out: products of K numbers of variance 1 are off by
// about 2^-9 √(3 K), a third of which is their own rounding.
TEST(MatrixProduct, RoundsToBfloat16) {
  if (!has_bfloat16(torch::kCPU)) GTEST_SKIP() << "this processor has no bfloat16 products";
  torch::manual_seed(2);
  const auto x = torch::randn({64, 1500}), w = torch::randn({512, 1500}), b = torch::randn({512}),
             g = torch::randn({64, 512});
  const auto relative = [](const torch::Tensor& a, const torch::Tensor& exact) {
    return ((a - exact).norm() / exact.norm()).item<double>();
  };
  const auto both = Precision::bfloat16;
  for (const auto& error : {relative(layer_output(x, w, b, both), torch::linear(x, w, b)),
                            relative(layer_input_gradient(g, w, both), g.mm(w)),
                            relative(layer_weight_gradient(g, x, both), g.t().mm(x))}) {
    EXPECT_LT(error, 2 * std::sqrt(3.0) / 512);
    EXPECT_GT(error, 0.1 / 512);
  }
}
