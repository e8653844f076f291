#include "cryoscape/latent/vector_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

torch::Generator generator(std::uint64_t seed) { return torch::make_generator<at::CPUGeneratorImpl>(seed); }

VectorFitOptions options(const std::string& prior) {
  VectorFitOptions o;
  o.prior.kind = prior, o.prior.components = 3, o.prior.bits = 8, o.prior.chains = 200, o.latent_dim = 2;
  o.steps = 600, o.batch = 128;
  return o;
}

/// Two wells of width 0.5 at ±2 in the first of two columns, weights 3:1.
torch::Tensor wells(std::int64_t n) {
  auto g = generator(1);
  auto x = 0.5 * torch::randn({n, 2}, g);
  const auto side = 2 * (torch::rand({n}, g) < 0.75).to(torch::kFloat32) - 1;
  x.select(1, 0).add_(2 * side);
  return x;
}

/// −entropy of the wells: ln p averaged over them, whose overlap is negligible.
const double kWellsLogDensity =
    0.75 * std::log(0.75) + 0.25 * std::log(0.25) - 1 - std::log(2 * std::numbers::pi * 0.25);

}  // namespace

TEST(FitVectors, ADensityReachesTheDatasOwnEntropy) {
  const auto fit = fit_vectors(wells(5000), options("mixture"));
  EXPECT_FALSE(fit.vae);
  ASSERT_TRUE(fit.held_out);
  EXPECT_NEAR(*fit.held_out, kWellsLogDensity, 0.03 + 3 * *fit.held_out_error);
}

TEST(FitVectors, BitsAreFittedDirectly) {
  auto g = generator(2);
  const auto p = torch::tensor({0.9f, 0.2f, 0.5f, 0.7f});
  const auto x = (torch::rand({5000, 4}, g) < p).to(torch::kFloat32);
  const auto fit = fit_vectors(x, options("rbm"));
  EXPECT_FALSE(fit.vae);
  EXPECT_EQ(fit.prior->dim(), 4);
  const double entropy = -(p * torch::log(p) + (1 - p) * torch::log(1 - p)).sum().item<double>();
  EXPECT_NEAR(*fit.held_out, -entropy, 0.05 + 3 * *fit.held_out_error);
}

TEST(FitVectors, BitsOfAnAutoencoderFindTheWells) {
  std::vector<nlohmann::json> records;
  auto o = options("rbm");
  o.steps = 1500, o.learning_rate = 3e-3, o.warm_up = 0.5;
  const auto fit = fit_vectors(wells(4000), o, [&](const auto& r) { records.push_back(r); });
  EXPECT_TRUE(fit.vae);
  EXPECT_GE(fit.active_latents, 1);
  ASSERT_TRUE(fit.held_out);
  // Between a Gaussian of the same covariance and the truth: the bound is one from below.
  const double spread = 0.5 * std::log((4 * 0.75 + 0.25) / 0.25) - 0.5 * std::log(0.25 / 0.25);
  EXPECT_GT(*fit.held_out, -1 - std::log(2 * std::numbers::pi * 0.25) - spread);
  EXPECT_LT(*fit.held_out, kWellsLogDensity + 3 * *fit.held_out_error);
  EXPECT_EQ(records.size(), 15u);
  EXPECT_GT(records.back()["log_likelihood"], records.front()["log_likelihood"].get<double>());
}

TEST(FitVectors, IsTheSameForASeed) {
  const auto x = wells(500);
  auto o = options("gbrbm");
  o.steps = 50;
  EXPECT_EQ(*fit_vectors(x, o).held_out, *fit_vectors(x, o).held_out);
}

TEST(FitVectors, SaysWhatIsWrongWithTheData) {
  auto x = wells(100);
  EXPECT_NE(error_of([&] { fit_vectors(x.slice(0, 0, 10), options("mixture")); }).find("10 rows are too few"),
            std::string::npos);
  auto constant = x.clone();
  constant.select(1, 1).fill_(3);
  EXPECT_NE(error_of([&] { fit_vectors(constant, options("mixture")); }).find("column 1 does not vary"),
            std::string::npos);
  x[7][0] = NAN;
  EXPECT_NE(
      error_of([&] { fit_vectors(x, options("mixture")); }).find("row 7 holds a value that is not finite"),
      std::string::npos);
}
