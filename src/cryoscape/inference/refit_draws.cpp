#include "cryoscape/inference/refit_draws.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

/// Draws spread over the parts by systematic sampling, which keeps their shares as even as n allows.
void draw_parts(const std::vector<PosteriorPart>& parts, const std::vector<double>& shares, std::size_t count,
                Philox& random, std::vector<Eigen::VectorXd>& out) {
  const double start = random.uniform();
  double passed = 0;
  std::size_t p = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const double place = (start + static_cast<double>(j)) / static_cast<double>(count);
    while (p + 1 < parts.size() && passed + shares[p] < place) passed += shares[p++];
    Eigen::VectorXd noise(parts[p].mean.size());
    for (auto& x : noise) x = random.normal();
    parts[p].precision_root.transpose().triangularView<Eigen::Upper>().solveInPlace(noise);
    out.emplace_back(parts[p].mean + noise);
  }
}

/// ln e^{log_weight − energy} of a particle's draws.
std::vector<double> log_terms(const RefitDraws& draws, std::span<const double> energies,
                              const EntryRange& r) {
  std::vector<double> terms;
  for (std::size_t m = r.first; m < r.last; ++m) terms.push_back(draws.log_weight[m] - energies[m]);
  return terms;
}

}  // namespace

RefitDraws refit_draws(const ScoredDraws& given) {
  RefitDraws draws{given.dim, entry_ranges(given.particle), given.latent, {}};
  draws.log_weight.resize(given.size());
  for (const auto& r : draws.ranges) {
    const double log_count = std::log(static_cast<double>(r.last - r.first));
    bool finite = false;
    for (std::size_t m = r.first; m < r.last; ++m) {
      draws.log_weight[m] =
          static_cast<double>(given.log_ratio[m]) - static_cast<double>(given.log_proposal[m]) - log_count;
      finite = finite || std::isfinite(draws.log_weight[m]);
    }
    if (!finite) fail("no draw of particle {} has a likelihood: leave the particle out", r.particle + 1);
  }
  return draws;
}

RefitDraws posterior_draws(const GaussianMixture& base, const Expansions& e, std::size_t count,
                           std::uint64_t seed) {
  const auto ready = prepared(base);
  const auto ranges = entry_ranges(e.particle);
  RefitDraws draws{e.dim, {}, {}, {}};
  for (const auto& r : ranges)
    draws.ranges.push_back({r.particle, draws.ranges.size() * count, (draws.ranges.size() + 1) * count});
  draws.latent.resize(ranges.size() * count * e.dim);
  draws.log_weight.resize(ranges.size() * count);
  parallel_for(ranges.size(), [&](std::size_t i) {
    const auto parts = posterior_of(ready, e, ranges[i]);
    std::vector<double> shares;
    for (const auto& part : parts) shares.push_back(part.log_mass);
    const double evidence = log_sum_exp(shares);
    for (auto& s : shares) s = std::exp(s - evidence);
    Philox random(seed, ranges[i].particle);
    std::vector<Eigen::VectorXd> drawn;
    draw_parts(parts, shares, count, random, drawn);
    for (std::size_t j = 0; j < count; ++j) {
      const auto m = draws.ranges[i].first + j;
      draws.log_weight[m] = evidence - log_density(ready, drawn[j]) - std::log(static_cast<double>(count));
      for (std::size_t k = 0; k < e.dim; ++k)
        draws.latent[m * e.dim + k] = static_cast<float>(drawn[j][static_cast<Eigen::Index>(k)]);
    }
  });
  return draws;
}

std::vector<double> log_evidence(const RefitDraws& draws, std::span<const double> energies) {
  std::vector<double> out;
  for (const auto& r : draws.ranges) out.push_back(log_sum_exp(log_terms(draws, energies, r)));
  return out;
}

std::vector<double> posterior_shares(const RefitDraws& draws, std::span<const double> energies) {
  std::vector<double> shares(draws.size());
  for (const auto& r : draws.ranges) {
    const auto terms = log_terms(draws, energies, r);
    const double whole = log_sum_exp(terms);
    for (std::size_t k = 0; k < terms.size(); ++k) shares[r.first + k] = std::exp(terms[k] - whole);
  }
  return shares;
}

std::vector<char> held_out(const std::vector<EntryRange>& ranges, const std::vector<std::uint32_t>& groups,
                           double share, std::uint64_t seed) {
  std::vector<char> out;
  for (const auto& r : ranges)
    out.push_back(Philox(seed, groups.empty() ? r.particle : groups.at(r.particle)).uniform() < share);
  return out;
}

}  // namespace cryoscape::inference
