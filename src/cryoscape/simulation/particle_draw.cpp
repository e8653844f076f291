#include "cryoscape/simulation/particle_draw.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cryoscape::simulation {
namespace {

using geometry::Vec3;
using std::numbers::pi;

constexpr double kPreferredShare = 0.7;  // of the particles of an uneven data set lie near a preferred view
constexpr double kConcentration = 8;     // of the von Mises–Fisher distribution about it: 68 % within 31°
constexpr double kAngstromPerMicrometre = 1e4;

/// Uniform on the sphere.
Vec3 random_direction(Philox& random) {
  const double z = 2 * random.uniform() - 1, angle = 2 * pi * random.uniform(),
               r = std::sqrt(std::max(0.0, 1 - z * z));
  return {r * std::cos(angle), r * std::sin(angle), z};
}

/// Von Mises–Fisher about `mean` (inversion of the distribution of the cosine; Ulrich 1984).
Vec3 direction_near(const Vec3& mean, double concentration, Philox& random) {
  const double u = random.uniform();
  const double w = 1 + std::log(u + (1 - u) * std::exp(-2 * concentration)) / concentration;
  const double angle = 2 * pi * random.uniform(), r = std::sqrt(std::max(0.0, 1 - w * w));
  // An orthonormal frame about the mean (Duff et al., JCGT 2017).
  const double sign = std::copysign(1.0, mean[2]), a = -1 / (sign + mean[2]), b = mean[0] * mean[1] * a;
  const Vec3 e1{1 + sign * mean[0] * mean[0] * a, sign * b, -sign * mean[0]},
      e2{b, sign + mean[1] * mean[1] * a, -mean[1]};
  Vec3 out;
  for (int k = 0; k < 3; ++k) out[k] = w * mean[k] + r * (std::cos(angle) * e1[k] + std::sin(angle) * e2[k]);
  return out;
}

}  // namespace

ParticleSource::ParticleSource(const SimulationOptions& options, const Distribution& distribution)
    : options_(options), distribution_(distribution) {
  if (options.views != "uneven") return;
  Philox random(static_cast<std::uint64_t>(options.seed), stream_of(Stream::data_set, 0));
  for (int i = 0; i < 2; ++i) preferred_.push_back(random_direction(random));
}

void ParticleSource::draw_view(Philox& random, Pose& pose) const {
  Vec3 view = random_direction(random);
  if (!preferred_.empty() && random.uniform() < kPreferredShare)
    view = direction_near(preferred_[random.below(preferred_.size())], kConcentration, random);
  // The view direction is the third row of A: (sin tilt cos rot, sin tilt sin rot, cos tilt).
  pose.rot = std::atan2(view[1], view[0]);
  pose.tilt = std::acos(std::clamp(view[2], -1.0, 1.0));
  pose.psi = pi * (2 * random.uniform() - 1);
}

ParticleDraw ParticleSource::draw(std::uint64_t index) const {
  Philox random(static_cast<std::uint64_t>(options_.seed), stream_of(Stream::particle, index));
  ParticleDraw p;
  draw_view(random, p.pose);
  const double x = random.normal(), y = random.normal();
  if (options_.shift > 0) p.pose.shift_x = options_.shift * x, p.pose.shift_y = options_.shift * y;
  const double defocus =
      kAngstromPerMicrometre *
      (options_.defocus[0] + (options_.defocus[1] - options_.defocus[0]) * random.uniform());
  const double difference = options_.astigmatism * random.uniform();
  p.ctf.defocus_u = static_cast<float>(defocus + difference / 2);
  p.ctf.defocus_v = static_cast<float>(defocus - difference / 2);
  p.ctf.defocus_angle = static_cast<float>(pi * random.uniform());
  p.ctf.b_factor = static_cast<float>(options_.b_factor);
  p.half = random.uniform() < 0.5 ? 1 : 2;
  const double kind = random.uniform();
  if (kind < options_.junk) p.content = kind < options_.junk / 2 ? Content::noise : Content::wrong_molecule;
  p.placement = distribution_.draw(random);
  return p;
}

std::vector<float> random_globule(std::size_t points, double radius_of_gyration, std::uint64_t seed) {
  Philox random(seed, stream_of(Stream::data_set, 1));
  // Radius of gyration of an ellipsoid with half-axes (a, b, c): sqrt((a² + b² + c²)/5).
  const Vec3 shape{1, 1.3, 0.75};
  double square = 0;
  for (const double s : shape) square += s * s / 5;
  const double scale = radius_of_gyration / std::sqrt(square);
  std::vector<float> out;
  while (out.size() < 3 * points) {
    const Vec3 x{2 * random.uniform() - 1, 2 * random.uniform() - 1, 2 * random.uniform() - 1};
    if (x[0] * x[0] + x[1] * x[1] + x[2] * x[2] > 1) continue;
    for (int k = 0; k < 3; ++k) out.push_back(static_cast<float>(scale * shape[k] * x[k]));
  }
  return out;
}

}  // namespace cryoscape::simulation
