#include "cryoscape/density/neural_field.hpp"

#include <gtest/gtest.h>

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr FieldShape kShape{2, 12, 16, 2};

/// Not all zero, as the last layer is at first.
void fill_last_layer(NeuralField& field) {
  torch::NoGradGuard no_grad;
  for (auto& p : field->parameters())
    if (p.dim() == 2 && p.size(0) == 2) p.normal_(0, 0.3);
}

}  // namespace

TEST(NeuralField, BeginsWithNoDensityAndIsTheSameForASeed) {
  torch::manual_seed(1);
  const auto k = 8 * torch::rand({20, 3}), z = torch::randn({20, 2});
  NeuralField a(kShape, 7), b(kShape, 7), other(kShape, 8);
  EXPECT_EQ(a->forward(k, z).abs().max().item<float>(), 0);
  const auto pa = a->parameters(), pb = b->parameters(), pc = other->parameters();
  for (std::size_t i = 0; i < pa.size(); ++i) EXPECT_TRUE(torch::equal(pa[i], pb[i]));
  EXPECT_FALSE(torch::equal(pa[0], pc[0]));
}

TEST(NeuralField, GradientOfTheLossMatchesFiniteDifferences) {
  torch::manual_seed(2);
  NeuralField field(kShape, 3);
  field->set_points(0.2 * torch::randn({12, 3}));
  field->to(torch::kFloat64);
  fill_last_layer(field);
  const auto options = torch::TensorOptions(torch::kFloat64);
  const auto k = 8 * torch::rand({30, 3}, options), z = torch::randn({30, 2}, options);
  auto samples = torch::randn({30, 3}, options);
  samples.narrow(1, 2, 1).abs_();
  const auto loss = [&] { return field_loss(field->forward(k, z), samples); };
  const auto parameters = field->parameters();
  const auto gradients = torch::autograd::grad({loss()}, parameters);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto direction = torch::randn_like(parameters[i]);
    constexpr double kStep = 1e-5;  // third derivatives times its square: 1e-9 of the values
    parameters[i].add_(direction, kStep);
    const double above = loss().item<double>();
    parameters[i].add_(direction, -2 * kStep);
    const double below = loss().item<double>();
    parameters[i].add_(direction, kStep);
    const double expected = (gradients[i] * direction).sum().item<double>();
    EXPECT_NEAR((above - below) / (2 * kStep), expected, 1e-6 * (1 + std::abs(expected))) << i;
  }
}

TEST(FieldLoss, IsTheSquaredDistanceFromTheValuesLessAConstant) {
  torch::manual_seed(4);
  const auto o = torch::randn({10, 2}), value = torch::randn({10, 2}), weight = torch::rand({10, 1}) + 0.1;
  const auto samples = torch::cat({weight * value, weight}, 1);
  const double expected = (weight * ((o - value).square() - value.square())).sum().item<double>();
  EXPECT_NEAR(field_loss(o, samples).item<double>(), expected, 1e-5 * (1 + std::abs(expected)));
}
