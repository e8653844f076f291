#include "cryoscape/density/neural_maps.hpp"

#include <fmt/format.h>

#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/neural_density.hpp"

namespace cryoscape::density {
namespace fs = std::filesystem;

std::vector<std::array<std::vector<float>, 2>> neural_half_maps(
    const std::array<HalfSource, 2>& halves, const std::array<const RunConformations*, 2>& conformations,
    io::StackReader& reader, const particles::ImageGrid& grid, const std::vector<Target>& targets,
    const fs::path& folder, bool resume) {
  std::vector<std::array<std::vector<float>, 2>> out(targets.size());
  for (std::size_t h = 0; h < 2; ++h) {
    const auto& known = *conformations[h];
    NeuralDensity density(grid, static_cast<int>(known.mean.columns), {});
    const auto file = folder / fmt::format("neural_half{}.pt", h + 1);
    if (resume && fs::exists(file)) density.load(file);
    density.train({*halves[h].set, reader, halves[h].noise_power, known.mean, halves[h].members},
                  [&] { density.save(file); });
    for (std::size_t t = 0; t < targets.size(); ++t) {
      // Latents of one run say nothing in another.
      const bool own = conformations[h] == conformations[0];
      out[t][h] = density.map(own ? targets[t].latent : nearest_latent(known, targets[t].model));
      clear_corners(grid.box, out[t][h]);
    }
  }
  return out;
}

}  // namespace cryoscape::density
