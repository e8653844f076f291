#include "cryoscape/landscape/energy_errors.hpp"

#include <algorithm>

namespace cryoscape::landscape {
namespace {

using inference::estimate_energy;

void put_lowest_at_zero(KnownEnergies& known) {
  const double lowest = *std::min_element(known.minima.begin(), known.minima.end());
  for (auto& u : known.minima) u -= lowest;
  for (auto& path : known.paths)
    for (auto& u : path.energies) u -= lowest;
}

/// One of the energies, `get`, with its error.
template <class Get>
inference::Estimate estimate_of(const KnownEnergies& found, const std::vector<KnownEnergies>& resamples,
                                const Get& get) {
  std::vector<double> values;
  for (const auto& r : resamples) values.push_back(get(r));
  return estimate_energy(get(found), std::move(values));
}

double top_of(const KnownEnergies::Path& path) {
  return *std::max_element(path.energies.begin(), path.energies.end());
}

PathErrors path_errors(const KnownEnergies& found, const std::vector<KnownEnergies>& resamples,
                       std::size_t which) {
  const auto& path = found.paths[which];
  PathErrors out;
  for (std::size_t i = 0; i < path.energies.size(); ++i)
    out.energies.push_back(estimate_of(found, resamples, [&](const KnownEnergies& k) {
                             return k.paths[which].energies[i];
                           }).error);
  out.saddle = estimate_of(found, resamples, [&](const auto& k) { return top_of(k.paths[which]); });
  const auto above = [&](std::size_t minimum) {
    return estimate_of(found, resamples,
                       [&](const auto& k) { return top_of(k.paths[which]) - k.minima[minimum]; });
  };
  out.barriers = {above(path.a), above(path.b)};
  return out;
}

/// factor (ln p − ln p_b) at places (m, n).
Eigen::VectorXd shifts(const std::vector<inference::PreparedComponent>& p,
                       const std::vector<inference::PreparedComponent>& resampled, const Points& places,
                       double factor) {
  Eigen::VectorXd out(places.cols());
  for (Eigen::Index i = 0; i < out.size(); ++i)
    out[i] = factor *
             (inference::log_density(p, places.col(i)) - inference::log_density(resampled, places.col(i)));
  return out;
}

void add(std::vector<double>& energies, const Eigen::VectorXd& shift) {
  for (std::size_t i = 0; i < energies.size(); ++i) energies[i] += shift[static_cast<Eigen::Index>(i)];
}

}  // namespace

EnergyErrors energy_errors(KnownEnergies found, std::vector<KnownEnergies> resamples) {
  put_lowest_at_zero(found);
  for (auto& r : resamples) put_lowest_at_zero(r);
  EnergyErrors out;
  for (std::size_t m = 0; m < found.minima.size(); ++m)
    out.minima.push_back(
        estimate_of(found, resamples, [&](const KnownEnergies& k) { return k.minima[m]; }).error);
  for (std::size_t i = 0; i < found.paths.size(); ++i) out.paths.push_back(path_errors(found, resamples, i));
  return out;
}

std::vector<KnownEnergies> resampled_energies(const KnownEnergies& found, const KnownPlaces& places,
                                              const inference::GaussianMixture& p,
                                              const std::vector<inference::GaussianMixture>& resampled,
                                              double factor) {
  const auto whole = inference::prepared(p);
  std::vector<KnownEnergies> out;
  for (const auto& mixture : resampled) {
    const auto ready = inference::prepared(mixture);
    auto energies = found;
    add(energies.minima, shifts(whole, ready, places.minima, factor));
    for (std::size_t i = 0; i < energies.paths.size(); ++i)
      add(energies.paths[i].energies, shifts(whole, ready, places.paths[i], factor));
    out.push_back(std::move(energies));
  }
  return out;
}

}  // namespace cryoscape::landscape
