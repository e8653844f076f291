#include "cryoscape/model/likelihood_expansion.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

struct Expansion {
  torch::Tensor log_ratio, score, information, contrast;
};

/// coordinates (M, N, 3) against particles (M) of the scene.
Expansion expand(const TestScene& scene, double sd, const torch::Tensor& coordinates,
                 const torch::Tensor& displacements, const torch::Tensor& particle = {}) {
  const auto size = coordinates.size(0), d = displacements.defined() ? displacements.size(1) : 0;
  Expansion e{torch::empty({size}), torch::empty({size, d}), torch::empty({size, d, d}),
              torch::empty({size})};
  ExpansionPoints points;
  points.size = static_cast<int>(size), points.directions = static_cast<int>(d);
  points.coordinates = coordinates.data_ptr<float>();
  if (d > 0) points.displacements = displacements.data_ptr<float>();
  if (particle.defined()) points.particle = particle.data_ptr<std::int64_t>();
  expand_likelihood(scene.spec, scene.bead_amplitudes(), scene.spectral(), {sd, false}, scene.view(), points,
                    {e.log_ratio.data_ptr<float>(), e.score.data_ptr<float>(),
                     e.information.data_ptr<float>(), e.contrast.data_ptr<float>()});
  return e;
}

/// One particle of a scene `draws` times, each with contrast and noise of its own, and displacements that
/// also change the image's scale and position: (1, d, N, 3).
struct Draws {
  static constexpr int kDirections = 3;
  TestScene scene;
  torch::Tensor displacements;
  double sd;

  Draws(const TestScene& from, std::int64_t draws, double sd) : scene(from.select({0})), sd(sd) {
    scene = scene.select(std::vector<std::int64_t>(static_cast<std::size_t>(draws), 0));
    const auto alpha = 1 + sd * torch::randn({draws, 1, 1}, torch::kFloat64);
    scene.spectra = (alpha * scene.prediction() + scene.noise(1)[0]).to(torch::kComplexFloat);
    displacements = torch::randn({1, kDirections, scene.coordinates.size(1), 3});
    displacements.select(1, 0).copy_(-0.5 * scene.coordinates[0]);
  }
  Expansion at(const torch::Tensor& z) const {
    const auto moved = (scene.coordinates + torch::einsum("k,knx->nx", {z, displacements[0]})).contiguous();
    return expand(scene, sd, moved, displacements.expand({scene.size(), -1, -1, -1}).contiguous());
  }
};

/// Fisher's information (d, d) of N(x; m, S + sd² m mᵀ): ∂mᵀ K ∂m + ½ tr K ∂C K ∂C, K = C⁻¹, with the
/// derivatives taken by central differences of the plain prediction.
torch::Tensor fisher_information(const Draws& draws) {
  const auto scene = draws.scene.select({0});
  const auto root = torch::sqrt(scene.counted() / scene.spread(scene.power));
  const auto whitened = [&](const torch::Tensor& x) {
    const auto m = root * scene.spread(scene.gain) * scene.bare_prediction(x, false);
    return torch::cat({torch::real(m).flatten(), torch::imag(m).flatten()});
  };
  const auto x = scene.coordinates.to(torch::kFloat64);
  const auto m = whitened(x).unsqueeze(1);
  std::vector<torch::Tensor> columns;
  for (int k = 0; k < Draws::kDirections; ++k) {
    const auto u = 1e-4 * draws.displacements.select(1, k).to(torch::kFloat64);
    columns.push_back((whitened(x + u) - whitened(x - u)) / 2e-4);
  }
  const auto t = torch::stack(columns, 1);
  const double variance = draws.sd * draws.sd, c = m.pow(2).sum().item<double>();
  const auto inverse = [&](const torch::Tensor& v) { return v - m.mm(m.t().mm(v)) / (1 / variance + c); };
  const auto along = m.t().mm(inverse(t)), between = t.t().mm(inverse(t));
  return between * (1 + variance * variance * m.t().mm(inverse(m))) +
         variance * variance * along.t().mm(along);
}

/// Largest entry of L⁻¹ a L⁻ᵀ − 1, L Lᵀ = b.
double difference(const torch::Tensor& a, const torch::Tensor& b) {
  const auto root = torch::linalg_cholesky(b.to(torch::kFloat64)).inverse();
  const auto d = b.size(0);
  return (root.mm(a.to(torch::kFloat64)).mm(root.t()) - torch::eye(d, torch::kFloat64))
      .abs()
      .max()
      .item<double>();
}

}  // namespace

TEST(ExpandLikelihood, ValueAndScoreAgreeWithTheMarginalGaussian) {
  for (const auto& scene : scenes())
    for (const double sd : {0.0, 0.2, 1.5}) {
      const auto displacements = torch::randn({scene.size(), 4, scene.coordinates.size(1), 3});
      const auto fast = expand(scene, sd, scene.coordinates, displacements);
      const auto x = scene.coordinates.to(torch::kFloat64).requires_grad_();
      const auto data = scene.spectra.to(torch::kComplexDouble);
      const auto value =
          reference_score(scene, x, sd) - log_normaliser(scene) + 0.5 * product(scene, data, data);
      value.sum().backward();
      const auto score = (x.grad().unsqueeze(1) * displacements.to(torch::kFloat64)).sum({2, 3});
      EXPECT_LT((fast.log_ratio - value).abs().max().item<double>(),
                1e-5 * value.abs().max().item<double>() + 1e-3)
          << scene.box() << " " << sd;
      EXPECT_LT(((fast.score - score).norm() / score.norm()).item<double>(), 1e-4)
          << scene.box() << " " << sd;
    }
}

TEST(ExpandLikelihood, InformationIsTheMeanOfTheScoresSquaresAndOfTheirFall) {
  // Entries of a whitened second moment of 2,000 draws have a standard error of at most 0.032.
  constexpr int kDraws = 2000;
  constexpr double kTolerance = 0.14;
  torch::manual_seed(3);
  for (const int i : {2, 4}) {  // the second with a wide CTF
    for (const double sd : {0.2, 0.7}) {
      const Draws draws(scenes()[i], kDraws, sd);
      const auto zero = torch::zeros({Draws::kDirections});
      const auto here = draws.at(zero);
      const auto information = here.information.mean(0), exact = fisher_information(draws);
      EXPECT_LT(difference(information, exact), kTolerance) << i << " " << sd;
      EXPECT_LT(difference(here.score.t().mm(here.score) / kDraws, exact), kTolerance) << i << " " << sd;
      std::vector<torch::Tensor> fall;
      for (int k = 0; k < Draws::kDirections; ++k) {
        auto step = zero.clone();
        step[k] = 1e-2 / std::sqrt(exact[k][k].item<double>());
        const auto change = draws.at(-step).score.mean(0) - draws.at(step).score.mean(0);
        fall.push_back(change / (2 * step[k]));
      }
      const auto matrix = torch::stack(fall);
      EXPECT_LT(difference(0.5 * (matrix + matrix.t()), exact), kTolerance) << i << " " << sd;
    }
  }
}

TEST(ExpandLikelihood, InformationAtAFixedContrastIsThatOfTheTangents) {
  torch::manual_seed(4);
  Draws draws(scenes()[2], 3, 0);
  draws.sd = 1e-4;  // as good as fixed, for the formula
  const auto exact = fisher_information(draws);
  draws.sd = 0;
  const auto found = draws.at(torch::zeros({Draws::kDirections})).information;
  for (int i = 0; i < 3; ++i) EXPECT_LT(difference(found[i], exact), 2e-3);
}

TEST(ExpandLikelihood, SeveralStructuresAgainstOneParticleAndAnyNumberOfThreads) {
  const auto scene = scenes()[0];
  const auto particle = torch::tensor({4, 0, 4}, torch::kInt64);
  const auto displacements = torch::randn({3, 2, scene.coordinates.size(1), 3});
  const auto x = scene.coordinates.narrow(0, 1, 3).contiguous();
  const auto together = expand(scene, 0.2, x, displacements, particle);
  const auto value_alone = expand(scene, 0.2, x, {}, particle);
  EXPECT_LT((together.log_ratio - value_alone.log_ratio).abs().max().item<double>(), 1e-4);
  for (int i = 0; i < 3; ++i) {
    const auto one = expand(scene.select({particle[i].item<std::int64_t>()}), 0.2,
                            x.narrow(0, i, 1).contiguous(), displacements.narrow(0, i, 1).contiguous());
    EXPECT_TRUE(torch::equal(one.log_ratio[0], together.log_ratio[i]));
    EXPECT_TRUE(torch::equal(one.score[0], together.score[i]));
    EXPECT_TRUE(torch::equal(one.information[0], together.information[i]));
    EXPECT_TRUE(torch::equal(one.contrast[0], together.contrast[i]));
  }
  const int threads = thread_count();
  set_thread_count(threads == 1 ? 2 : 1);
  const auto other = expand(scene, 0.2, x, displacements, particle);
  set_thread_count(threads);
  EXPECT_TRUE(torch::equal(other.information, together.information));
}

TEST(ExpandLikelihood, AnImageWithoutPredictionKnowsNothing) {
  const auto scene = scenes()[2];
  const auto far = torch::full_like(scene.coordinates, 1e5f);
  const auto e = expand(scene, 0.2, far, torch::randn({scene.size(), 2, far.size(1), 3}));
  EXPECT_EQ(e.log_ratio.abs().max().item<double>(), 0);
  EXPECT_EQ(e.information.abs().max().item<double>(), 0);
}
