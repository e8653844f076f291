#include "cryoscape/model/networks.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::model;

TEST(Mlp, IsLinearLayersWithSiluBetween) {
  torch::manual_seed(1);
  Mlp one(std::vector<std::int64_t>{3, 2}), two(std::vector<std::int64_t>{3, 4, 2});
  const auto x = 5 * torch::randn({7, 3});
  const auto linear = [](const torch::Tensor& in, const torch::Tensor& weight, const torch::Tensor& bias) {
    return in.mm(weight.t()) + bias;
  };
  const auto p = one->parameters(), q = two->parameters();
  ASSERT_EQ(p.size(), 2u);
  ASSERT_EQ(q.size(), 4u);
  EXPECT_LT((one->forward(x) - linear(x, p[0], p[1])).abs().max().item<double>(), 1e-5);
  const auto hidden = linear(x, q[0], q[1]);
  EXPECT_LT(
      (two->forward(x) - linear(hidden * torch::sigmoid(hidden), q[2], q[3])).abs().max().item<double>(),
      1e-5);
}

TEST(Mlp, SplitForwardIsTwoPassesOfWhichOneStopsBeforeTheInput) {
  torch::manual_seed(2);
  Mlp mlp(std::vector<std::int64_t>{3, 8, 5, 4});
  const auto u = torch::randn({7, 4}), v = torch::randn({7, 4});
  auto x = torch::randn({7, 3}).requires_grad_();
  const auto gradients = [&](const torch::Tensor& loss) {
    auto inputs = mlp->parameters();
    inputs.push_back(x);
    return torch::autograd::grad({loss}, inputs);
  };
  const auto expected =
      gradients((u * mlp->forward(x)).sum() + (v * mlp->forward(x.detach()).square()).sum());
  const auto [first, second] = mlp->forward_split(x);
  EXPECT_TRUE(torch::equal(first, mlp->forward(x)));
  EXPECT_TRUE(torch::equal(second, first));
  const auto found = gradients((u * first).sum() + (v * second.square()).sum());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(), 1e-5) << i;
  // Either output alone.
  EXPECT_LT(
      (gradients((u * mlp->forward_split(x).first).sum())[6] - gradients((u * mlp->forward(x)).sum())[6])
          .abs()
          .max()
          .item<double>(),
      1e-6);
  mlp->forward_split(x).second.sum().backward();
  EXPECT_EQ(x.grad().abs().max().item<double>(), 0);
}

TEST(Mlp, TangentsAreTheDerivativesThatAutogradGives) {
  torch::manual_seed(3);
  Mlp mlp(std::vector<std::int64_t>{3, 8, 5, 4});
  const auto x = torch::randn({7, 3}).requires_grad_(), tangents = torch::randn({7, 2, 3});
  const auto [out, along] = mlp->forward_tangent(x.detach(), tangents);
  ASSERT_EQ(along.sizes(), (std::vector<std::int64_t>{7, 2, 4}));
  const auto expected = mlp->forward(x);
  EXPECT_LT((out - expected).abs().max().item<double>(), 1e-6);
  for (int k = 0; k < 4; ++k) {
    const auto gradient = torch::autograd::grad({expected.select(1, k).sum()}, {x}, {}, true)[0];
    const auto directional = (tangents * gradient.unsqueeze(1)).sum(2);
    EXPECT_LT((along.select(2, k) - directional).abs().max().item<double>(), 1e-6) << k;
  }
}

TEST(MlpEncoder, HasTheLayersOfCryoStar) {
  auto encoder = make_mlp_encoder(100, 16);
  std::vector<std::int64_t> widths;
  for (const auto& p : encoder->parameters())
    if (p.dim() == 2) widths.push_back(p.size(0));
  EXPECT_EQ(widths, (std::vector<std::int64_t>{512, 256, 128, 64, 32, 16}));
  EXPECT_EQ(encoder->forward(torch::zeros({5, 100})).sizes(), (std::vector<std::int64_t>{5, 16}));
}

TEST(ResidueDecoder, StartsAtNoDisplacementAndCanLeaveIt) {
  auto decoder = make_residue_decoder(4, 30);
  const auto z = torch::randn({6, 4});
  const auto out = decoder->forward(z);
  EXPECT_EQ(out.sizes(), (std::vector<std::int64_t>{6, 90}));
  EXPECT_EQ(out.abs().max().item<double>(), 0);
  out.sum().backward();
  EXPECT_GT(decoder->last()->weight.grad().abs().max().item<double>(), 0);
  EXPECT_GT(decoder->last()->bias.grad().abs().max().item<double>(), 0);
}
