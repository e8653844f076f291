#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <numeric>
#include <string>

#include "cryoscape/inference/mixture_posterior.hpp"
#include "cryoscape/inference/prior_refit.hpp"
#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/parallel.hpp"

// How well a refit recovers a planted density through the noise of single particles, against the same prior
// fitted to posterior means as if these were the latents.
//   refit KIND [NOISE [PARTICLES [SEED [PROFILE]]]]
// Without PROFILE: three wells (65, 30, 5 %) in two of eight latents, the others idle. PROFILE is a CSV of
// position and energy in kT, as `cryoscape simulate --profile` reads it: one latent.

using namespace cryoscape;
using namespace cryoscape::inference;

namespace {

/// A planted density over latents, of which the first `known` are measured.
struct Planted {
  Eigen::Index dim = 0, known = 0;
  std::function<Eigen::VectorXd(Philox&)> draw;
  std::function<double(const Eigen::VectorXd&)> log_density;
  std::vector<double> populations;
  std::function<std::size_t(const Eigen::VectorXd&)> basin;
};

Planted wells() {
  constexpr Eigen::Index kDim = 8;
  const auto mixture = three_wells(kDim);
  const auto ready = prepared(mixture);
  Planted p{kDim, 2, {}, {}, {}, {}};
  p.draw = [ready](Philox& random) { return draw(ready, random); };
  p.log_density = [ready](const Eigen::VectorXd& z) { return log_density(ready, z); };
  for (const auto& c : mixture) p.populations.push_back(c.weight);
  p.basin = [mixture](const Eigen::VectorXd& z) {
    std::vector<double> distance;
    for (const auto& c : mixture) distance.push_back((z.head(2) - c.mean.head(2)).norm());
    return static_cast<std::size_t>(std::min_element(distance.begin(), distance.end()) - distance.begin());
  };
  return p;
}

/// Energies at even positions of [0, 1].
std::vector<double> read_profile(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<double> energies;
  while (std::getline(file, line)) energies.push_back(std::stod(line.substr(line.find(',') + 1)));
  return energies;
}

/// The bins' barrier: the highest between the two lowest minima, taken as the highest between 0.2 and 0.8.
std::size_t barrier_of(const std::vector<double>& energies) {
  const auto n = static_cast<std::ptrdiff_t>(energies.size());
  return static_cast<std::size_t>(std::max_element(energies.begin() + n / 5, energies.end() - n / 5) -
                                  energies.begin());
}

Planted profile(const std::vector<double>& energies) {
  const auto n = energies.size();
  std::vector<double> p(n), cumulative(n);
  for (std::size_t i = 0; i < n; ++i) p[i] = std::exp(-energies[i]);
  const double whole = std::accumulate(p.begin(), p.end(), 0.0);
  for (auto& x : p) x /= whole;
  std::partial_sum(p.begin(), p.end(), cumulative.begin());
  const double width = 1.0 / static_cast<double>(n - 1);
  const double top = static_cast<double>(barrier_of(energies)) * width;
  Planted planted{1, 1, {}, {}, {0, 0}, {}};
  planted.draw = [=](Philox& random) {
    const auto bin = std::lower_bound(cumulative.begin(), cumulative.end(), random.uniform());
    const double place = static_cast<double>(bin - cumulative.begin()) + random.uniform() - 0.5;
    return Eigen::VectorXd(Eigen::VectorXd::Constant(1, place * width));
  };
  planted.log_density = [=](const Eigen::VectorXd& z) {
    const auto bin = std::clamp<long>(std::lround(z[0] / width), 0, static_cast<long>(n) - 1);
    return std::log(p[static_cast<std::size_t>(bin)] / width);
  };
  planted.basin = [=](const Eigen::VectorXd& z) { return static_cast<std::size_t>(z[0] > top); };
  for (std::size_t i = 0; i < n; ++i) planted.populations[static_cast<double>(i) * width > top] += p[i];
  return planted;
}

/// Measurements of noise × 0.7 to 1.4.
Expansions measure(const Planted& planted, std::uint32_t particles, double noise, std::uint64_t seed) {
  Expansions e;
  for (std::uint32_t i = 0; i < particles; ++i) {
    Philox random(seed, i);
    Eigen::VectorXd measured = planted.draw(random);
    Eigen::VectorXd information = Eigen::VectorXd::Zero(planted.dim);
    for (Eigen::Index j = 0; j < planted.dim; ++j) {
      const double deviation = noise * std::exp(0.35 * (2 * random.uniform() - 1));
      measured[j] = j < planted.known ? measured[j] + deviation * random.normal() : 0;
      information[j] = j < planted.known ? 1 / (deviation * deviation) : 0;
    }
    add_expansion(e, i, measured, information.asDiagonal(), random);
  }
  return e;
}

/// Posterior means under a standard normal, as latents that are known; those of idle latents, which have no
/// measurement, are drawn from it.
Expansions means_as_points(const Expansions& e, Eigen::Index known) {
  Expansions out;
  const auto ready = prepared({standard_normal(static_cast<Eigen::Index>(e.dim))});
  for (const auto& r : entry_ranges(e.particle)) {
    Philox random(3, r.particle);
    Eigen::VectorXd z = posterior_of(ready, e, r).at(0).mean;
    for (Eigen::Index j = known; j < z.size(); ++j) z[j] = random.normal();
    add_expansion(out, r.particle, z, 1e4 * Eigen::MatrixXd::Identity(z.size(), z.size()), random);
  }
  return out;
}

double energy_of(latent::Prior& prior, const std::vector<Eigen::VectorXd>& points, std::vector<double>& out) {
  torch::NoGradGuard no_grad;
  auto z = torch::empty({static_cast<std::int64_t>(points.size()), prior.dim()});
  for (std::size_t i = 0; i < points.size(); ++i)
    for (Eigen::Index j = 0; j < points[i].size(); ++j)
      z[static_cast<std::int64_t>(i)][j] = static_cast<float>(points[i][j]);
  out = latent::values_of(prior.energy(z));
  return prior.log_partition().value;
}

/// KL(truth‖prior), populations of basins in samples, and of one latent the r.m.s. error of −ln p, where p is
/// above 1 % of its maximum, and the barrier's height over the global minimum.
void print_scores(const std::string& name, const Planted& planted, latent::Prior& prior) {
  std::vector<Eigen::VectorXd> points;
  Philox random(98);
  double divergence = 0;
  for (int i = 0; i < 4000; ++i) points.push_back(planted.draw(random));
  std::vector<double> energies;
  const double log_z = energy_of(prior, points, energies);
  for (std::size_t i = 0; i < points.size(); ++i)
    divergence += (planted.log_density(points[i]) + energies[i] + log_z) / static_cast<double>(points.size());
  auto g = torch::make_generator<at::CPUGeneratorImpl>(5);
  const auto z = prior.sample(20000, g).to(torch::kFloat32).contiguous();
  std::vector<double> found(planted.populations.size());
  for (std::int64_t i = 0; i < z.size(0); ++i)
    found[planted.basin(Eigen::Map<const Eigen::VectorXf>(z.data_ptr<float>() + i * planted.dim, planted.dim)
                            .cast<double>())] += 1 / static_cast<double>(z.size(0));
  std::cout << fmt::format("  {:<18} KL {:.4f}  populations", name, divergence);
  for (std::size_t b = 0; b < found.size(); ++b)
    std::cout << fmt::format(" {:.1f} ({:.1f})", 100 * found[b], 100 * planted.populations[b]);
  if (planted.dim == 1) {
    std::vector<Eigen::VectorXd> grid;
    for (int i = 0; i <= 400; ++i) grid.push_back(Eigen::VectorXd::Constant(1, i / 400.0));
    energy_of(prior, grid, energies);
    std::vector<double> truth;
    for (const auto& s : grid) truth.push_back(-planted.log_density(s));
    const double lowest = *std::min_element(truth.begin(), truth.end());
    double sum = 0, square = 0, n = 0;
    for (std::size_t i = 0; i < grid.size(); ++i)
      if (truth[i] - lowest < std::log(100.0)) {
        const double d = energies[i] - truth[i];
        sum += d, square += d * d, n += 1;
      }
    const auto height = [](const std::vector<double>& f) {
      return f[barrier_of(f)] - *std::min_element(f.begin(), f.end());
    };
    std::cout << fmt::format("  F rms {:.3f} kT  barrier {:.2f} ({:.2f})",
                             std::sqrt(square / n - sum * sum / n / n), height(energies), height(truth));
  }
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  set_thread_count(1);
  torch::set_num_threads(1);
  const std::string kind = argc > 1 ? argv[1] : "mixture";
  const bool path = argc > 5;
  const double noise = argc > 2 ? std::stod(argv[2]) : 0.4;
  const auto particles = static_cast<std::uint32_t>(argc > 3 ? std::stoul(argv[3]) : 3000);
  const auto seed = static_cast<std::uint64_t>(argc > 4 ? std::stoul(argv[4]) : 1);
  const auto planted = path ? profile(read_profile(argv[5])) : wells();
  const auto e = measure(planted, particles, noise, seed);
  std::cout << fmt::format("{} with noise {} and {} particles, seed {}\n", kind, noise, particles, seed);
  latent::PriorOptions options;
  options.kind = kind, options.dim = static_cast<int>(planted.dim), options.hidden = 4;
  RefitOptions refit;
  refit.seed = static_cast<int>(seed);
  for (const bool of_means : {false, true}) {
    const auto prior = latent::make_prior(options, seed);
    const auto start = std::chrono::steady_clock::now();
    const auto report = refit_prior(*prior, of_means ? means_as_points(e, planted.known) : e, refit);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    print_scores(of_means ? "on posterior means" : "on likelihoods", planted, *prior);
    if (of_means) continue;
    std::cout << fmt::format(
        "  held-out evidence {:+.4f} +- {:.4f} over the mixture of {}, {:+.4f} +- {:.4f} over the start; "
        "round {}, "
        "effective draws {:.2f}, log Z [{:.3f}, {:.3f}], {:.1f} s\n",
        report.over_reference->value, report.over_reference->error, *report.reference_components,
        report.gain.value, report.gain.error, report.rounds, report.effective_draws, report.partition.lower,
        report.partition.upper, seconds);
  }
}
