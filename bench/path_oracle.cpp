#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/inference/test_oracle.hpp"
#include "cryoscape/model/matrix_product.hpp"

// What the energy landscape along a path can reach with the exact model of the images.
//   path_oracle SHARED_DATA FOLDER [PROFILE [PARTICLES [SNR [NODES]]]]
// PROFILE: profile_A.csv, profile_B.csv, or "uniform". FOLDER takes the simulated particles.

using namespace cryoscape;
using namespace cryoscape::inference;

int main(int argc, char** argv) {
  if (argc < 3)
    return fmt::print("usage: path_oracle SHARED_DATA FOLDER [PROFILE PARTICLES SNR NODES]\n"), 2;
  const std::filesystem::path shared = argv[1], folder = argv[2];
  const std::string profile = argc > 3 ? argv[3] : "profile_A.csv";
  const bool uniform = profile == "uniform";
  const int particles = argc > 4 ? std::atoi(argv[4]) : 20000;
  const double snr = argc > 5 ? std::atof(argv[5]) : 0.01;
  const auto nodes = static_cast<std::size_t>(argc > 6 ? std::atoi(argv[6]) : 51);
  model::prepare_matrix_products();
  auto oracle = make_oracle(shared, folder, uniform ? "" : profile, particles, snr);
  auto seconds = [start = std::chrono::steady_clock::now()]() mutable {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start, now)).count();
  };
  const auto path = oracle_table(oracle, nodes);
  fmt::print("tabulated {} particles at {} nodes with slopes in {:.1f} s\n", path.table.size(), nodes,
             seconds());
  fmt::print("maximum-likelihood error over its bound: {:.3f}\n", oracle_error_over_bound(oracle, path));
  seconds();
  const auto f = bootstrap(population_table(path.table, path.node));
  fmt::print("free energy and 100 resamples in {:.1f} s; {:.1f} degrees of freedom{}\n", seconds(),
             f.fit.degrees_of_freedom, f.continuous ? "; continuous" : "");
  const auto truth =
      uniform ? known_energy([](double) { return 0.0; }) : read_known_energy(shared / "adk" / profile);
  const auto drawn = fit_population(exact_positions(oracle.positions(), f.grid.axes.front()));
  const auto gaussian = fit_population(population_table(path.table, path.node, {}, Rows::gaussian));
  const auto expected = truth.density(f.energy.size());
  const auto raw = histogram(row_maxima(population_table(path.table, path.node)), f.grid.axes.front());
  fmt::print(
      "F r.m.s. to the truth, kT: {:.3f}; of exact positions {:.3f}, of Gaussian factors {:.3f}, of the "
      "histogram of maxima {:.3f}\n",
      free_energy_rms(f.fit.density, expected), free_energy_rms(drawn.density, expected),
      free_energy_rms(gaussian.density, expected), free_energy_rms(raw, expected));
  for (const auto& s : f.states)
    fmt::print("state at {:.2f}: {:.4f} +- {:.4f} (truth above its place {:.4f}), F {:.2f} kT\n",
               s.position[0], s.population.value, s.population.error, truth.share_above(s.position[0]),
               s.minimum);
  for (const auto& b : f.barriers)
    fmt::print("barrier at {:.2f}: {:.2f} kT [{:.2f}, {:.2f}]\n", b.position[0], b.energy.value, b.energy.low,
               b.energy.high);
}
