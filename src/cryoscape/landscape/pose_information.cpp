#include "cryoscape/landscape/pose_information.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kNeighbours = 5;  ///< more: less noise, more bias
constexpr std::size_t kMostParticles = 2000, kFewestParticles = 50;
constexpr int kPermutations = 20;
constexpr double kSignificance = 4;
constexpr double kNoticed = 0.05;      ///< nats: below, a dependence hardly tells particles apart
constexpr double kLeastSpread = 0.05;  ///< Å: structures that vary less are one

/// ψ(n) of a positive integer.
std::vector<double> digamma_table(std::size_t most) {
  std::vector<double> psi(most + 1);
  psi[1] = -0.57721566490153286;
  for (std::size_t n = 1; n < most; ++n) psi[n + 1] = psi[n] + 1 / static_cast<double>(n);
  return psi;
}

/// Root mean square distance from their mean.
double spread(const Points& points) {
  return std::sqrt((points.colwise() - points.rowwise().mean()).squaredNorm() /
                   static_cast<double>(points.cols()));
}

/// Distances between all points, in units of their root mean square.
Eigen::MatrixXf distances(const Points& points) {
  const auto n = points.cols();
  Eigen::MatrixXf out(n, n);
  const double scale = spread(points);
  parallel_for(static_cast<std::size_t>(n), [&](std::size_t i) {
    const auto column = static_cast<Eigen::Index>(i);
    out.col(column) =
        ((points.colwise() - points.col(column)).colwise().norm() / std::max(scale, 1e-300)).cast<float>();
  });
  return out;
}

/// The estimate for y's points in the order `of`.
double estimate(const Eigen::MatrixXf& x, const Eigen::MatrixXf& y, const std::vector<Eigen::Index>& of,
                const std::vector<double>& psi) {
  const auto n = of.size();
  std::vector<double> terms(n);
  parallel_ranges(n, [&](std::size_t begin, std::size_t end) {
    std::vector<float> joint(n);
    for (auto i = begin; i < end; ++i) {
      const float *to_x = x.data() + i * n, *to_y = y.data() + static_cast<std::size_t>(of[i]) * n;
      for (std::size_t j = 0; j < n; ++j) joint[j] = std::max(to_x[j], to_y[of[j]]);
      joint[i] = std::numeric_limits<float>::max();  // not its own neighbour
      std::nth_element(joint.begin(), joint.begin() + (kNeighbours - 1), joint.end());
      const float radius = joint[kNeighbours - 1];
      // Itself, at distance 0, is counted: n + 1 of the paper.
      std::size_t near_x = radius > 0 ? 0 : 1, near_y = near_x;
      for (std::size_t j = 0; j < n; ++j) near_x += to_x[j] < radius, near_y += to_y[j] < radius;
      terms[i] = psi[near_x] + psi[near_y];
    }
  });
  const double mean = std::accumulate(terms.begin(), terms.end(), 0.0) / static_cast<double>(n);
  return psi[kNeighbours] + psi[n] - mean;
}

/// A particle's direction of view, its angle in the plane as a point on a circle, and its shift.
Points view_of(const particles::ParticleSet& set, const std::vector<std::size_t>& particles) {
  Points out(3, static_cast<Eigen::Index>(particles.size()));
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const auto& r = set.particles[particles[i]].rotation;
    out.col(static_cast<Eigen::Index>(i)) << r[6], r[7], r[8];
  }
  return out;
}

Points angle_of(const particles::ParticleSet& set, const std::vector<std::size_t>& particles) {
  Points out(2, static_cast<Eigen::Index>(particles.size()));
  for (std::size_t i = 0; i < particles.size(); ++i) {
    geometry::Mat3 rotation;
    std::copy_n(set.particles[particles[i]].rotation.begin(), 9, rotation.begin());
    const double psi = geometry::euler_from_rotation(rotation)[2];
    out.col(static_cast<Eigen::Index>(i)) << std::cos(psi), std::sin(psi);
  }
  return out;
}

Points shift_of(const particles::ParticleSet& set, const std::vector<std::size_t>& particles) {
  Points out(2, static_cast<Eigen::Index>(particles.size()));
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const auto& shift = set.particles[particles[i]].shift;
    out.col(static_cast<Eigen::Index>(i)) << shift[0], shift[1];
  }
  return out;
}

bool varies(const Points& points) { return (points.colwise() - points.col(0)).cwiseAbs().maxCoeff() > 0; }

nlohmann::json json_of(const MutualInformation& i) {
  return {{"nats", i.nats}, {"null", i.null}, {"null_error", i.null_error}};
}

}  // namespace

bool MutualInformation::significant() const { return excess() > kSignificance && nats - null > kNoticed; }

MutualInformation mutual_information(const Points& x, const Points& y, int permutations, std::uint64_t seed) {
  const auto n = static_cast<std::size_t>(x.cols());
  const auto dx = distances(x), dy = distances(y);
  const auto psi = digamma_table(n + 1);
  std::vector<Eigen::Index> order(n);
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  MutualInformation out;
  out.nats = estimate(dx, dy, order, psi);
  Philox random(seed, 6);
  double sum = 0, square = 0;
  for (int p = 0; p < permutations; ++p) {
    throw_if_interrupted();
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    const double value = estimate(dx, dy, order, psi);
    sum += value, square += value * value;
  }
  const double count = permutations;
  out.null = sum / count;
  out.null_error = std::sqrt(std::max(0.0, (square - sum * sum / count) / (count - 1)));
  return out;
}

const PoseInformation::Part& PoseInformation::strongest() const {
  return *std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return a.information.excess() < b.information.excess();
  });
}

PoseInformation pose_information(const particles::ParticleSet& set, const std::vector<std::size_t>& particles,
                                 const Points& points, std::uint64_t seed) {
  PoseInformation out;
  if (particles.size() < kFewestParticles || spread(points) < kLeastSpread) return out;
  const auto chosen = random_subset(particles.size(), kMostParticles, seed);
  std::vector<std::size_t> rows;
  for (const auto c : chosen) rows.push_back(particles[c]);
  const Points structures = points(Eigen::all, chosen);
  const auto add = [&](const char* name, const Points& pose) {
    if (varies(pose)) out.parts.push_back({name, mutual_information(pose, structures, kPermutations, seed)});
  };
  add("view", view_of(set, rows));
  add("in-plane", angle_of(set, rows));
  add("shift", shift_of(set, rows));
  return out;
}

nlohmann::json pose_information_json(const PoseInformation& information) {
  if (information.parts.empty()) return nullptr;
  const auto& strongest = information.strongest();
  auto out = json_of(strongest.information);
  out["of"] = strongest.name;
  for (const auto& part : information.parts) out["parts"][part.name] = json_of(part.information);
  return out;
}

}  // namespace cryoscape::landscape
