#include "cryoscape/inference/posterior_proposal.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "cryoscape/inference/mixture_posterior.hpp"
#include "cryoscape/inference/refit_draws.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::inference {
namespace {

struct Mode {
  double log_mass;
  Eigen::VectorXd point;
  Eigen::MatrixXd root;  ///< L with precision = L Lᵀ
};

Mode mode_of(const Expansions& e, std::size_t m) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  const Eigen::MatrixXd p =
      Eigen::Map<const Eigen::MatrixXf>(e.information.data() + m * e.dim * e.dim, d, d).cast<double>();
  const Eigen::LLT<Eigen::MatrixXd> llt(0.5 * (p + p.transpose()));
  if (llt.info() != Eigen::Success || !std::isfinite(e.mass[m]))
    fail("the posterior of particle {} is no density: run cryoscape refine again", e.particle[m] + 1);
  return {std::log(static_cast<double>(e.mass[m])),
          Eigen::Map<const Eigen::VectorXf>(e.point.data() + m * e.dim, d).cast<double>(), llt.matrixL()};
}

double log_density(const std::vector<Mode>& modes, const Eigen::VectorXd& z) {
  std::vector<double> terms;
  for (const auto& mode : modes) {
    const Eigen::VectorXd white = mode.root.transpose() * (z - mode.point);
    terms.push_back(mode.log_mass - 0.5 * white.squaredNorm() + mode.root.diagonal().array().log().sum() -
                    0.5 * static_cast<double>(z.size()) * std::log(2 * std::numbers::pi));
  }
  return log_sum_exp(terms);
}

/// Which of several shares a uniform number falls into.
std::size_t choose(std::span<const double> shares, double u) {
  std::size_t k = 0;
  for (; k + 1 < shares.size() && u >= shares[k]; ++k) u -= shares[k];
  return k;
}

/// Calls draw(range of the particle's entries, random numbers, place of its first draw) for all particles.
template <class Draw>
void for_particles(const std::vector<EntryRange>& ranges, std::span<const std::int64_t> particles,
                   std::size_t n, std::uint64_t seed, const Draw& draw) {
  parallel_for(particles.size(), [&](std::size_t i) {
    const auto row = static_cast<std::uint32_t>(particles[i]);
    const auto found =
        std::lower_bound(ranges.begin(), ranges.end(), row,
                         [](const EntryRange& r, std::uint32_t value) { return r.particle < value; });
    if (found == ranges.end() || found->particle != row)
      fail("nothing is known of the posterior of particle {}: run cryoscape refine again", row + 1);
    Philox random(seed, row);
    draw(*found, random, i * n);
  });
}

}  // namespace

Propose propose_from_modes(Expansions modes) {
  const auto e = std::make_shared<const Expansions>(std::move(modes));
  const auto ranges = entry_ranges(e->particle);
  return [e, ranges](std::span<const std::int64_t> particles, std::size_t n, std::uint64_t seed) {
    const auto d = e->dim;
    ProposedLatents out{std::vector<float>(particles.size() * n * d),
                        std::vector<double>(particles.size() * n)};
    for_particles(ranges, particles, n, seed, [&](const EntryRange& r, Philox& random, std::size_t first) {
      std::vector<Mode> own;
      std::vector<double> shares;
      for (std::size_t m = r.first; m < r.last; ++m)
        own.push_back(mode_of(*e, m)), shares.push_back(e->mass[m]);
      for (std::size_t k = first; k < first + n; ++k) {
        const auto& mode = own[choose(shares, random.uniform())];
        Eigen::VectorXd z(static_cast<Eigen::Index>(d));
        for (auto& x : z) x = random.normal();
        mode.root.transpose().triangularView<Eigen::Upper>().solveInPlace(z);
        z += mode.point;
        out.log_density[k] = log_density(own, z);
        std::transform(z.begin(), z.end(), out.latent.begin() + static_cast<std::ptrdiff_t>(k * d),
                       [](double x) { return static_cast<float>(x); });
      }
    });
    return out;
  };
}

Propose propose_from_draws(ScoredDraws draws, std::vector<double> energies) {
  const auto known = std::make_shared<const ScoredDraws>(std::move(draws));
  const auto weighted = refit_draws(*known);
  const auto evidence = log_evidence(weighted, energies);
  const auto shares = posterior_shares(weighted, energies);
  std::vector<double> log_posterior(known->size());
  for (std::size_t i = 0; i < weighted.ranges.size(); ++i)
    for (std::size_t m = weighted.ranges[i].first; m < weighted.ranges[i].last; ++m)
      log_posterior[m] = known->log_ratio[m] - energies[m] - evidence[i];
  return [known, ranges = weighted.ranges, shares, log_posterior](std::span<const std::int64_t> particles,
                                                                  std::size_t n, std::uint64_t seed) {
    const auto d = known->dim;
    ProposedLatents out{std::vector<float>(particles.size() * n * d),
                        std::vector<double>(particles.size() * n)};
    for_particles(ranges, particles, n, seed, [&](const EntryRange& r, Philox& random, std::size_t first) {
      const std::span own(shares.data() + r.first, r.last - r.first);
      for (std::size_t k = first; k < first + n; ++k) {
        const auto m = r.first + choose(own, random.uniform());
        out.log_density[k] = log_posterior[m];
        std::copy_n(known->latent.begin() + static_cast<std::ptrdiff_t>(m * d), d,
                    out.latent.begin() + static_cast<std::ptrdiff_t>(k * d));
      }
    });
    return out;
  };
}

}  // namespace cryoscape::inference
