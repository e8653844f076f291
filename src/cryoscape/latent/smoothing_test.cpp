#include "cryoscape/latent/smoothing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape::latent;

TEST(OverlappingExponential, IsTheInverseCdf) {
  const double beta = 8;
  for (const double q : {0.001, 0.3, 0.5, 0.9, 0.999})
    for (const double rho : {0.001, 0.2, 0.5, 0.8, 0.999}) {
      const double zeta = overlapping_exponential(torch::full({1}, q, torch::kFloat64),
                                                  torch::full({1}, rho, torch::kFloat64), beta)
                              .item<double>();
      // CDF of (1 − q) r₀ + q r₁ with r₁ = β e^{β(ζ−1)}/(1 − e^{−β}).
      const double r1 = (std::exp(beta * (zeta - 1)) - std::exp(-beta)) / (1 - std::exp(-beta));
      const double r0 = (1 - std::exp(-beta * zeta)) / (1 - std::exp(-beta));
      EXPECT_NEAR((1 - q) * r0 + q * r1, rho, 1e-9) << q << " " << rho;
    }
}

TEST(OverlappingExponential, GradientMatchesFiniteDifferences) {
  const auto q = torch::tensor({0.05, 0.4, 0.6, 0.95}, torch::kFloat64).requires_grad_();
  const auto rho = torch::tensor({0.3, 0.7, 0.2, 0.5}, torch::kFloat64);
  overlapping_exponential(q, rho, 8).sum().backward();
  const double h = 1e-6;
  torch::NoGradGuard no_grad;
  const auto difference =
      (overlapping_exponential(q + h, rho, 8) - overlapping_exponential(q - h, rho, 8)) / (2 * h);
  EXPECT_LT((q.grad() - difference).abs().max().item<double>(), 1e-5);
}

namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// R_z(ζ), the distribution of ζ given the bit z.
double cdf(const std::string& kind, double beta, int z, double x) {
  const double t = std::exp(-beta);
  if (kind == "overlapping-exp")
    return z == 1 ? (std::exp(beta * (x - 1)) - t) / (1 - t) : (1 - std::exp(-beta * x)) / (1 - t);
  if (kind == "spike-exp") return z == 1 ? std::expm1(beta * x) / std::expm1(beta) : 1;
  if (kind == "power") return z == 1 ? 1 - std::pow(1 - x, 1 / beta) : std::pow(x, 1 / beta);
  return normal_cdf((x - z) * std::sqrt(beta));
}

const std::vector<std::string> kWithCdf{"overlapping-exp", "spike-exp", "power", "gaussian-integral"};

/// Noise at the middle of equal cells of (0, 1): averages over it are integrals over ρ.
torch::Tensor even_noise(std::int64_t n) {
  return (torch::arange(n, torch::kFloat64) + 0.5).div(static_cast<double>(n)).view({-1, 1});
}

torch::Tensor logits_of(std::vector<double> q) { return torch::logit(torch::tensor(q, torch::kFloat64)); }

}  // namespace

TEST(Smoothing, DrawsFollowTheirDistribution) {
  constexpr std::int64_t kNoise = 100000;
  for (const auto& kind : kWithCdf) {
    const Smoothing smoothing{kind, {}};
    for (const double q : {0.001, 0.3, 0.9}) {
      const auto zeta = smooth_bits(smoothing, logits_of({q}), even_noise(kNoise));
      for (const double x : {0.0001, 0.1, 0.5, 0.8, 0.9999}) {
        const double exact =
            (1 - q) * cdf(kind, smoothing.sharpness(), 0, x) + q * cdf(kind, smoothing.sharpness(), 1, x);
        // A count of cells is off by at most one per bit.
        EXPECT_NEAR((zeta <= x).to(torch::kFloat64).mean().item<double>(), exact, 2.1 / kNoise)
            << kind << " " << q << " " << x;
      }
    }
  }
}

// A draw need not be F⁻¹(ρ), so that the derivative is compared of an average over the noise.
TEST(Smoothing, GradientsOfAveragesMatchFiniteDifferences) {
  constexpr std::int64_t kNoise = 400000;
  const auto rho = even_noise(kNoise);
  for (const auto& kind : kWithCdf) {
    const auto average = [&](const torch::Tensor& logits) {
      const auto zeta = smooth_bits({kind, {}}, logits, rho);
      return (zeta * zeta + torch::sin(3 * zeta)).mean(0);
    };
    const auto logits = logits_of({0.05, 0.4, 0.95}).requires_grad_();
    average(logits).sum().backward();
    torch::NoGradGuard no_grad;
    const double h = 1e-2;
    const auto difference = (average(logits + h) - average(logits - h)) / (2 * h);
    // h² f‴/6 ≈ 2e-5, and a cell of noise changing sides 1/(2 h kNoise) ≈ 1.3e-4.
    EXPECT_LT((logits.grad() - difference).abs().max().item<double>(), 2e-4) << kind;
  }
}

TEST(Smoothing, GradientsAreFiniteForCertainBitsInSinglePrecision) {
  for (const auto& kind : smoothing_kinds()) {
    const auto logits = torch::tensor({-200.0f, -60.0f, -20.0f, -10.0f, 10.0f, 20.0f, 60.0f, 200.0f})
                            .view({-1, 1})
                            .requires_grad_();
    const auto zeta = smooth_bits({kind, {}}, logits, torch::linspace(0, 1, 1001).view({1, -1}));
    EXPECT_TRUE(torch::isfinite(zeta).all().item<bool>()) << kind;
    if (kind != "gaussian-integral") {
      EXPECT_TRUE(torch::logical_and(zeta >= 0, zeta <= 1).all().item<bool>()) << kind;
    }
    zeta.sum().backward();
    EXPECT_TRUE(torch::isfinite(logits.grad()).all().item<bool>()) << kind;
  }
}

TEST(Smoothing, SharpBitsAreHardBits) {
  const auto logits = logits_of({0.2, 0.7});
  const auto rho = even_noise(2000);
  const auto hard = (rho > 1 - torch::sigmoid(logits)).to(torch::kFloat64);
  for (const std::string kind : {"overlapping-exp", "power", "concrete", "straight-through"}) {
    const auto zeta = smooth_bits({kind, 100}, logits, rho);
    EXPECT_LT((zeta - hard).abs().mean().item<double>(), 0.02) << kind;
  }
}

TEST(StraightThrough, IsTheBitWithTheGradientOfItsProbability) {
  const auto logits = logits_of({0.2, 0.7}).requires_grad_();
  const auto zeta =
      smooth_bits({"straight-through", {}}, logits, torch::tensor({{0.9, 0.1}}, torch::kFloat64));
  EXPECT_TRUE(torch::equal(zeta.detach(), torch::tensor({{1.0, 0.0}}, torch::kFloat64)));
  zeta.sum().backward();
  EXPECT_TRUE(torch::allclose(logits.grad(), torch::tensor({0.16, 0.21}, torch::kFloat64)));
}

TEST(Smoothing, NamesAnUnknownKind) {
  EXPECT_EQ(cryoscape::error_of([] {
              Smoothing{"soft", {}}.sharpness();
            }),
            "--smoothing is 'soft', which does not exist");
}
