#pragma once
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/util/random.hpp"

/// Simulated likelihood tables, for tests and benchmarks of populations.
namespace cryoscape::inference {

/// A known free energy on [0, 1] at fine, even steps.
struct KnownEnergy {
  std::vector<double> energy;

  double at(std::size_t k) const { return static_cast<double>(k) / static_cast<double>(energy.size() - 1); }
  std::size_t node(double s) const {
    return static_cast<std::size_t>(std::lround(s * static_cast<double>(energy.size() - 1)));
  }
  /// Normalised density on a coarser grid, ends included.
  std::vector<double> density(std::size_t nodes) const {
    double mass = 0;
    for (const double e : energy) mass += std::exp(-e) / static_cast<double>(energy.size() - 1);
    std::vector<double> out;
    for (std::size_t k = 0; k < nodes; ++k)
      out.push_back(std::exp(-energy[k * (energy.size() - 1) / (nodes - 1)]) / mass);
    return out;
  }
  /// Share of the molecules above a position.
  double share_above(double s) const {
    double above = 0, all = 0;
    for (std::size_t k = 0; k < energy.size(); ++k) {
      all += std::exp(-energy[k]);
      if (at(k) > s) above += std::exp(-energy[k]);
    }
    return above / all;
  }
};

inline KnownEnergy known_energy(const std::function<double(double)>& energy) {
  KnownEnergy out;
  for (int k = 0; k <= 400; ++k) out.energy.push_back(energy(k / 400.0));
  return out;
}

/// −ln of two Gaussians.
inline KnownEnergy two_states(double share, double first, double second, double width) {
  return known_energy([=](double s) {
    const auto gauss = [&](double centre) {
      return std::exp(-(s - centre) * (s - centre) / (2 * width * width));
    };
    return -std::log((1 - share) * gauss(first) + share * gauss(second) + 1e-9);
  });
}

/// profile_A.csv or profile_B.csv of the shared data.
inline KnownEnergy read_known_energy(const std::filesystem::path& path) {
  std::ifstream file(path);
  KnownEnergy out;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) out.energy.push_back(std::stod(line.substr(line.find(',') + 1)));
  return out;
}

/// Positions drawn from a known density.
inline std::vector<double> draw_positions(const KnownEnergy& truth, std::size_t particles, Philox& random) {
  std::vector<double> cumulative;
  double total = 0;
  for (const double e : truth.energy) cumulative.push_back(total += std::exp(-e));
  std::vector<double> out;
  for (std::size_t i = 0; i < particles; ++i) {
    const auto k =
        std::lower_bound(cumulative.begin(), cumulative.end(), random.uniform() * total) - cumulative.begin();
    const double s =
        (static_cast<double>(k) + random.uniform() - 0.5) / static_cast<double>(truth.energy.size() - 1);
    out.push_back(std::clamp(s, 0.0, 1.0));
  }
  return out;
}

/// Likelihoods at even nodes of [0, 1] of particles at those positions. Each has a Gaussian likelihood of
/// width σ = 0.086 e^{N(0, 0.25²)} about a measurement with that error, which is SNR 0.01 of adenylate
/// kinase. For a share of them the measurement tells no difference between s and s + d, d random of ±3 to 5
/// σ: the likelihood is the sum of both, and exact.
inline LikelihoodTable simulate_table(const std::vector<double>& positions, std::size_t nodes, double bimodal,
                                      Philox& random, double width = 0.086) {
  LikelihoodTable table;
  table.nodes = nodes;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const double sigma = width * std::exp(0.25 * random.normal());
    const double other = random.uniform() < bimodal
                             ? (random.uniform() < 0.5 ? -1 : 1) * (3 + 2 * random.uniform()) * sigma
                             : 0;
    // The measurement's density is ½ N(y; s, σ²) + ½ N(y; s + d, σ²): drawn so, the likelihood is exact.
    const double centre = positions[i] + (other != 0 && random.uniform() < 0.5 ? other : 0);
    const double y = centre + sigma * random.normal();
    table.particle.push_back(static_cast<std::uint32_t>(i));
    for (std::size_t k = 0; k < nodes; ++k) {
      const double s = static_cast<double>(k) / static_cast<double>(nodes - 1);
      const double a = (y - s) / sigma, b = (y - s - other) / sigma, high = -0.5 * std::min(a * a, b * b);
      const double la = std::exp(-0.5 * a * a - high), lb = std::exp(-0.5 * b * b - high);
      table.value.push_back(static_cast<float>(high + std::log(0.5 * (la + lb))));
      table.slope.push_back(static_cast<float>((la * a + lb * b) / (la + lb) / sigma));
    }
  }
  return table;
}

inline std::vector<float> even_nodes(std::size_t nodes) {
  std::vector<float> out;
  for (std::size_t k = 0; k < nodes; ++k)
    out.push_back(static_cast<float>(k) / static_cast<float>(nodes - 1));
  return out;
}

}  // namespace cryoscape::inference
