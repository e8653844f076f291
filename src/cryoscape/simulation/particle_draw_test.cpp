#include "cryoscape/simulation/particle_draw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/simulation/scene.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;

namespace {

SimulationOptions options() {
  SimulationOptions o;
  o.box = 48, o.pixel_size = 2;
  return o;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

}  // namespace

TEST(ParticleSource, HalfSetsAreBalancedAndViewsAreUniform) {
  auto o = options();
  const UniformDistribution distribution(10);
  const ParticleSource source(o, distribution);
  double first = 0, moment[3] = {}, second[3] = {};
  for (int i = 0; i < 3000; ++i) {
    const auto p = source.draw(i);
    first += p.half == 1;
    const double view[] = {std::sin(p.pose.tilt) * std::cos(p.pose.rot),
                           std::sin(p.pose.tilt) * std::sin(p.pose.rot), std::cos(p.pose.tilt)};
    for (int k = 0; k < 3; ++k) moment[k] += view[k] / 3000, second[k] += view[k] * view[k] / 3000;
  }
  EXPECT_NEAR(first / 3000, 0.5, 0.04);
  for (int k = 0; k < 3; ++k) {
    EXPECT_NEAR(moment[k], 0, 4 * std::sqrt(1 / 9000.0));
    EXPECT_NEAR(second[k], 1 / 3.0, 4 * std::sqrt(4 / 45.0 / 3000));
  }
}

TEST(ParticleSource, UnevenViewsCrowdAboutTwoDirections) {
  auto o = options();
  o.views = "uneven";
  const UniformDistribution distribution(10);
  const ParticleSource source(o, distribution);
  // Pairs of neighbouring particles within 30°: 6.7 % of uniform views; at least 0.49 · ½ · 0.4 in addition
  // here.
  double close = 0;
  std::array<double, 3> last{};
  for (int i = 0; i < 3000; ++i) {
    const auto p = source.draw(i);
    const std::array<double, 3> view{std::sin(p.pose.tilt) * std::cos(p.pose.rot),
                                     std::sin(p.pose.tilt) * std::sin(p.pose.rot), std::cos(p.pose.tilt)};
    close += view[0] * last[0] + view[1] * last[1] + view[2] * last[2] > std::cos(std::numbers::pi / 6);
    last = view;
  }
  EXPECT_GT(close / 3000, 0.12);
}

TEST(ParticleSource, BoundsReproduceTheTableForAdenylateKinase) {
  // The table of SOURCES.md: 10, 50 and 90 % of the bounds, for beads of equal weight and a CTF applied in
  // the image's own box.
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "shared data not found: set CRYOSCAPE_TEST_DATA";
  std::vector<std::string> names;
  const auto atoms = read_all_models({*data / "adk/adk_path_smooth_ca.pdb"}, names);
  const Scene scene(atoms, names, {"auto", 96, false});
  const std::vector<float> equal(scene.amplitudes().size(), 1);
  SimulationOptions o;
  const UniformDistribution distribution(scene.models());
  const ParticleSource source(o, distribution);
  projection::ProjectionSpec spec;
  spec.box = 64, spec.pixel_size = 1.5, spec.sigma = 2;
  const int kViews = 1500;
  const double kStep = 2e-3;
  std::vector<float> image(4096), low(4096), high(4096), ctf(optics::half_size(64));
  std::vector<double> information;
  double mean = 0;
  for (int i = 0; i < kViews; ++i) {
    const auto p = source.draw(i);
    const auto a = geometry::rotation_from_euler(p.pose.rot, p.pose.tilt, p.pose.psi);
    std::array<float, 9> r;
    std::copy(a.begin(), a.end(), r.begin());
    const float shift[2] = {};
    const double s = scene.path().position_of_model(p.placement.model);
    const auto draw = [&](double at, std::vector<float>& out) {
      projection::project_one(spec, equal, scene.path().at(at).data(), r.data(), shift, out.data());
      optics::evaluate_ctf({}, p.ctf, 64, 1.5, ctf);
      optics::apply_filter(64, out.data(), ctf.data());
    };
    const double from = std::max(0.0, s - kStep), to = std::min(1.0, s + kStep);
    draw(s, image), draw(from, low), draw(to, high);
    double sum = 0;
    for (std::size_t k = 0; k < image.size(); ++k) sum += std::pow((high[k] - low[k]) / (to - from), 2);
    information.push_back(sum);
    mean += variance(image) / kViews;
  }
  for (const auto& [snr, expected] : std::map<double, std::array<double, 3>>{{0.01, {0.067, 0.086, 0.126}},
                                                                             {0.03, {0.039, 0.050, 0.073}},
                                                                             {0.05, {0.030, 0.039, 0.056}},
                                                                             {0.1, {0.021, 0.027, 0.040}}}) {
    std::vector<double> bounds;
    for (const double f : information) bounds.push_back(std::sqrt(mean / (snr * f)));
    EXPECT_NEAR(quantile(bounds, 0.1), expected[0], 0.03 * expected[0]);
    EXPECT_NEAR(quantile(bounds, 0.5), expected[1], 0.04 * expected[1]);
    EXPECT_NEAR(quantile(bounds, 0.9), expected[2], 0.05 * expected[2]);
  }
}
