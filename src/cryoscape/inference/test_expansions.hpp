#pragma once
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/gaussian_mixture.hpp"

/// Likelihoods of particles with known truth, for tests.
namespace cryoscape::inference {

/// Adds a particle's expansion around a point that is off its maximum, as refinement leaves it: of a
/// measurement y of z with information F, N(y; z, F⁻¹) but for a constant. F may be singular.
inline void add_expansion(Expansions& e, std::uint32_t particle, const Eigen::VectorXd& measured,
                          const Eigen::MatrixXd& information, Philox& random, double log_ratio = 0) {
  const auto d = measured.size();
  e.dim = static_cast<std::size_t>(d);
  Eigen::VectorXd offset(d);
  for (auto& x : offset) x = 0.3 * random.normal();
  const Eigen::VectorXd pull = information * offset;
  e.particle.push_back(particle);
  for (Eigen::Index j = 0; j < d; ++j) {
    e.point.push_back(static_cast<float>(measured[j] + offset[j]));
    e.score.push_back(static_cast<float>(-pull[j]));
    for (Eigen::Index k = 0; k < d; ++k) e.information.push_back(static_cast<float>(information(j, k)));
  }
  e.log_ratio.push_back(static_cast<float>(log_ratio - 0.5 * offset.dot(pull)));
  e.mass.push_back(1);
}

/// Particles drawn from a density over latents, each measured in the first `known` of them with a standard
/// deviation between 0.7 and 1.4 times `noise`, which varies with the particle; the other latents are idle.
inline Expansions measured_particles(const GaussianMixture& truth, std::size_t particles, Eigen::Index known,
                                     double noise, std::uint64_t seed) {
  Expansions e;
  const auto ready = prepared(truth);
  for (std::size_t i = 0; i < particles; ++i) {
    Philox random(seed, i);
    const Eigen::VectorXd z = draw(ready, random);
    Eigen::VectorXd measured = Eigen::VectorXd::Zero(z.size());
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(z.size(), z.size());
    for (Eigen::Index j = 0; j < known; ++j) {
      const double deviation = noise * std::exp(0.35 * (2 * random.uniform() - 1));
      measured[j] = z[j] + deviation * random.normal();
      information(j, j) = 1 / (deviation * deviation);
    }
    add_expansion(e, static_cast<std::uint32_t>(i), measured, information, random);
  }
  return e;
}

/// Three wells in the first two (or one) of d latents, weights 0.65, 0.30 and 0.05, standard deviation 0.25;
/// standard normal in the others.
inline GaussianMixture three_wells(Eigen::Index d) {
  GaussianMixture wells;
  const double places[3][2] = {{-1, 0}, {1, 0.3}, {0.2, 1.6}}, weights[3] = {0.65, 0.30, 0.05};
  for (int k = 0; k < 3; ++k) {
    GaussianComponent c{weights[k], Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Identity(d, d)};
    for (Eigen::Index j = 0; j < std::min<Eigen::Index>(2, d); ++j)
      c.mean[j] = places[k][j], c.covariance(j, j) = 0.0625;
    wells.push_back(c);
  }
  return wells;
}

inline GaussianComponent standard_normal(Eigen::Index d) {
  return {1, Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Identity(d, d)};
}

/// KL(truth‖found) from n draws of the truth.
inline double divergence(const GaussianMixture& truth, const GaussianMixture& found, int n = 20000) {
  const auto p = prepared(truth), q = prepared(found);
  Philox random(99);
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const auto z = draw(p, random);
    sum += log_density(p, z) - log_density(q, z);
  }
  return sum / n;
}

}  // namespace cryoscape::inference
