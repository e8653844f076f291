#include "cryoscape/model/backprojection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

FeatureLattice lattice_at(const torch::Tensor& points) {
  const auto p = points.contiguous();
  return {{p.data_ptr<float>(), p.data_ptr<float>() + p.numel()}, 1.0f};
}

torch::Tensor features_of(const TestScene& scene, const FeatureLattice& lattice,
                          const SpectralModel& spectral) {
  auto out = torch::empty({scene.size(), static_cast<std::int64_t>(lattice.size())});
  backproject_features(lattice, scene.spec, spectral, scene.view(),
                       {out.data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out;
}

double nearest(const FeatureLattice& lattice, const float* bead) {
  double best = 1e30;
  for (std::size_t v = 0; v < lattice.size(); ++v)
    best = std::min(
        best, std::hypot(double(lattice.points[3 * v]) - bead[0], double(lattice.points[3 * v + 1]) - bead[1],
                         double(lattice.points[3 * v + 2]) - bead[2]));
  return best;
}

std::vector<float> random_beads(int n, double spread, int seed) {
  torch::manual_seed(seed);
  const auto x = (spread * torch::randn({n, 3})).contiguous();
  return {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()};
}

TestScene noise_scene(int images) {
  TestScene scene(24, 11, images, 4, 2, 31);
  scene.spectra = scene.noise(1)[0].to(torch::kComplexFloat);
  return scene;
}

}  // namespace

TEST(FeatureLattice, CoversEveryBeadAndNothingFarAway) {
  const auto beads = random_beads(300, 20, 1);
  const auto lattice = make_feature_lattice(beads, 16, 4, 1500);
  ASSERT_GT(lattice.size(), 100u);
  EXPECT_LE(lattice.size(), 1500u);
  EXPECT_GE(lattice.spacing, 4);
  for (std::size_t n = 0; n < beads.size(); n += 3)
    EXPECT_LE(nearest(lattice, &beads[n]), 0.5 * std::sqrt(3.0) * lattice.spacing + 1e-3);
  for (std::size_t v = 0; v < lattice.size(); ++v) {
    double best = 1e30;
    for (std::size_t n = 0; n < beads.size(); n += 3)
      best = std::min(best, std::hypot(double(lattice.points[3 * v]) - beads[n],
                                       double(lattice.points[3 * v + 1]) - beads[n + 1],
                                       double(lattice.points[3 * v + 2]) - beads[n + 2]));
    EXPECT_LE(best, 16.001);
  }
}

TEST(FeatureLattice, HoldsAllPointsOfTheGridWithinTheMargin) {
  const std::vector<float> bead{3.3f, -41.2f, 7.7f};
  const auto lattice = make_feature_lattice(bead, 10, 2.5, 100000);
  EXPECT_EQ(lattice.spacing, 2.5f);
  std::size_t expected = 0;
  for (int x = -30; x <= 30; ++x)
    for (int y = -30; y <= 30; ++y)
      for (int z = -30; z <= 30; ++z)
        expected += std::hypot(2.5 * x - bead[0], 2.5 * y - bead[1], 2.5 * z - bead[2]) <= 10;
  EXPECT_EQ(lattice.size(), expected);
}

TEST(FeatureLattice, IsCoarserWhereFewerPointsAreAllowed) {
  const auto beads = random_beads(100, 30, 2);
  float last = 0;
  for (const int most : {5000, 1500, 300, 50, 8}) {
    const auto lattice = make_feature_lattice(beads, 16, 4, most);
    EXPECT_LE(lattice.size(), static_cast<std::size_t>(most));
    EXPECT_GT(lattice.spacing, last);
    last = lattice.spacing;
  }
}

TEST(FeatureLattice, OfNothingIsEmpty) {
  EXPECT_EQ(make_feature_lattice({}, 16, 4, 1500).size(), 0u);
  EXPECT_EQ(make_feature_lattice(random_beads(20, 10, 3), 16, 4, 0).size(), 0u);
}

TEST(Features, OfPureNoiseHaveUnitVariance) {
  const auto scene = noise_scene(600);
  // At pixel centres of unrotated images, exactly: no interpolation. Anywhere else, a little less.
  auto straight = scene;
  straight.rotations = torch::eye(3).expand({scene.size(), 3, 3}).contiguous();
  straight.shifts = torch::zeros_like(scene.shifts);
  const auto pixels = scene.spec.pixel_size *
                      torch::tensor({{-8.f, 3.f, 0.f}, {0.f, 0.f, 1.f}, {5.f, 7.f, -2.f}, {9.f, -9.f, 0.f}});
  const auto exact = features_of(straight, lattice_at(pixels), straight.spectral()).to(torch::kFloat64);
  const double error = std::sqrt(2.0 / exact.size(0));  // of one point's variance
  EXPECT_LT((exact.pow(2).mean(0) - 1).abs().max().item<double>(), 4 * error);
  EXPECT_LT(exact.mean(0).abs().max().item<double>(), 4 / std::sqrt(static_cast<double>(exact.size(0))));
  const auto between =
      features_of(scene, lattice_at(10 * torch::randn({40, 3})), scene.spectral()).to(torch::kFloat64);
  const double variance = between.pow(2).mean().item<double>();
  EXPECT_GT(variance, 0.8);
  EXPECT_LT(variance, 1.02);
}

TEST(Features, AreTheLinearPartOfTheLogLikelihood) {
  // Beads at pixel centres of unrotated, whole-pixel shifted images: reading the features needs no
  // interpolation.
  TestScene scene(32, 9, 5, 12, 2, 33);
  scene.spec.cutoff = 1e-7f;
  const double a = scene.spec.pixel_size;
  scene.rotations = torch::eye(3).expand({scene.size(), 3, 3}).contiguous();
  scene.shifts = torch::round(torch::randn({scene.size(), 2})) * a;
  const auto bead = torch::round(1.5 * torch::randn({1, 12, 3})) * a;
  scene.coordinates = bead.expand({scene.size(), -1, -1}).contiguous();
  const auto features = features_of(scene, lattice_at(bead[0]), scene.spectral()).to(torch::kFloat64);
  const auto sum = (features * scene.amplitudes.to(torch::kFloat64)).sum(1);
  // b = Σ Re(X* m)/S, the term of the log-likelihood linear in the prediction.
  const auto linear =
      (scene.counted() *
       torch::real(torch::conj(scene.spectra.to(torch::kComplexDouble)) * scene.prediction()) /
       scene.spread(scene.power))
          .sum({1, 2});
  // Both in units of the noise's standard deviation, which is what scales the features.
  const auto kx = torch::arange(17, torch::kFloat64).view({1, -1});
  const auto ky = ((torch::arange(32, torch::kFloat64) + 16).remainder(32) - 16).view({-1, 1});
  const auto f2 = (kx * kx + ky * ky) / (32 * a * 32 * a);
  const auto bead_filter =
      torch::exp(-2 * std::numbers::pi * std::numbers::pi * scene.spec.sigma * scene.spec.sigma * f2);
  const auto transfer = scene.spread(scene.gain) * scene.ctf.to(torch::kFloat64) * bead_filter;
  const auto deviation =
      torch::sqrt((scene.counted() * transfer * transfer / scene.spread(scene.power)).sum({1, 2}));
  EXPECT_LT((sum * deviation - linear).abs().max().item<double>(), 2e-3 * linear.abs().max().item<double>());
}

TEST(Features, OfOneBeadAreTheSameFromEveryView) {
  // A round CTF, so that a view differs from another by nothing but the direction.
  TestScene scene(32, 12, 30, 1, 1, 34);
  scene.coordinates = torch::tensor({11.f, -6.f, 9.f}).expand({30, 1, 3}).contiguous();
  scene.ctf.fill_(1.0f);
  scene.spectra = scene.prediction().to(torch::kComplexFloat);
  const auto at_bead = features_of(scene, lattice_at(scene.coordinates[0]), scene.spectral()).select(1, 0);
  EXPECT_GT(at_bead.min().item<double>(), 0);
  EXPECT_LT((at_bead.std() / at_bead.mean()).item<double>(), 0.06);
  // Elsewhere, what is seen depends on the view, and on average it is far less.
  const auto away =
      features_of(scene, lattice_at(torch::tensor({{-11.f, 6.f, -9.f}})), scene.spectral()).select(1, 0);
  EXPECT_LT(away.mean().item<double>(), 0.4 * at_bead.mean().item<double>());
}

TEST(Features, OutsideTheImageAreZero) {
  const auto scene = noise_scene(4);
  const auto far =
      features_of(scene, lattice_at(torch::tensor({{1e4f, 0.f, 0.f}, {0.f, 1e30f, 0.f}})), scene.spectral());
  const auto rotated =
      (torch::bmm(scene.rotations, torch::tensor({1e4f, 0.f, 0.f}).view({1, 3, 1}).expand({4, 3, 1}))
           .squeeze(2))
          .narrow(1, 0, 2)
          .abs()
          .max(1);
  ASSERT_GT(std::get<0>(rotated).min().item<double>(), 100);
  EXPECT_EQ(far.select(1, 0).abs().max().item<double>(), 0);
  EXPECT_EQ(far.select(1, 1).abs().max().item<double>(), 0);
}

TEST(Features, OfAnEmptyImageAreFinite) {
  auto scene = noise_scene(2);
  scene.ctf.zero_();
  const auto features = features_of(scene, lattice_at(torch::zeros({3, 3})), scene.spectral());
  EXPECT_EQ(features.abs().max().item<double>(), 0);
}

TEST(Features, DoNotDependOnThreads) {
  const auto scene = noise_scene(7);
  const auto lattice = lattice_at(10 * torch::randn({20, 3}));
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = features_of(scene, lattice, scene.spectral());
  set_thread_count(3);
  EXPECT_TRUE(torch::equal(one, features_of(scene, lattice, scene.spectral())));
  set_thread_count(threads);
}
