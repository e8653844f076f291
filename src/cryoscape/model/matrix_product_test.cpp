#include "cryoscape/model/matrix_product.hpp"

#include <gtest/gtest.h>

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
