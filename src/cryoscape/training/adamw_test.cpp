#include "cryoscape/training/adamw.hpp"

#include <gtest/gtest.h>

using namespace cryoscape;

TEST(AdamW, AgreesWithTorch) {
  torch::manual_seed(1);
  auto ours = torch::randn({37, 5}, torch::requires_grad());
  auto theirs = ours.detach().clone().requires_grad_();
  training::AdamW fused({ours}, {.weight_decay = 0.1});
  torch::optim::AdamW stock({theirs}, torch::optim::AdamWOptions(1e-2).weight_decay(0.1));
  const auto target = torch::randn({37, 5});
  for (int i = 0; i < 50; ++i) {
    ((ours - target).pow(2).sum() * 4).backward();
    fused.step(1e-2, 0.25);
    stock.zero_grad();
    (theirs - target).pow(2).sum().backward();
    stock.step();
  }
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 2e-5);
}
