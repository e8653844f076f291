#include "cryoscape/training/cuda/adamw_math.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

TEST(CudaAdamWMath, MovesParametersAsTheCpuDoes) {
  Philox random(1);
  std::vector<float> p(100), first(100), second(100), g(100);
  for (auto& v : p) v = static_cast<float>(random.normal());
  auto q = p, m = first, s = second;
  for (int step = 1; step <= 5; ++step) {
    for (auto& v : g) v = static_cast<float>(random.normal());
    AdamWStep numbers{0.9f, 0.999f, 0, 0, 1e-8f, 0.98f, 1.5f};
    numbers.rate = 0.01f / (1 - std::pow(0.9f, static_cast<float>(step)));
    numbers.root = 1 / std::sqrt(1 - std::pow(0.999f, static_cast<float>(step)));
    adamw_update(numbers, p.size(), p.data(), g.data(), first.data(), second.data());
    for (std::size_t k = 0; k < q.size(); ++k) cuda::adamw_element(numbers, q[k], g[k], m[k], s[k]);
  }
  for (std::size_t k = 0; k < q.size(); ++k) {
    EXPECT_NEAR(q[k], p[k], 1e-6);
    EXPECT_NEAR(s[k], second[k], 1e-6);
  }
}
