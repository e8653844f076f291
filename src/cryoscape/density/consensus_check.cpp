#include "cryoscape/density/consensus_check.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/grid.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/noise_power.hpp"
#include "cryoscape/density/reconstruction.hpp"

namespace cryoscape::density {
namespace {

constexpr std::size_t kSignShells = 8;  ///< whose mean correlation tells the images' sign

}  // namespace

ConsensusCheck check_consensus(particles::ParticleSet set, const std::filesystem::path& map,
                               std::size_t most) {
  const auto grid = choose_grid({}, set);
  const auto truth = read_map(map, grid.box, grid.pixel_size);
  std::vector<std::uint32_t> members;
  const auto step = std::max<std::size_t>(1, set.size() / most);
  for (std::size_t i = 0; i < set.size() && members.size() < most; i += step)
    members.push_back(static_cast<std::uint32_t>(i));
  io::StackReader reader;
  const auto noise = measure_noise_power(set, reader, grid, members.size());
  const std::vector<float> equal(members.size(), 1.0f);
  const auto made =
      unfiltered_map(back_project_weighted(set, reader, grid, noise, members, equal, "consensus map"));
  ConsensusCheck out;
  out.particles = members.size();
  out.fsc = map_correlation(grid.box, made, truth, fsc_mask({}, grid));
  const auto last = std::min(out.fsc.size(), kSignShells + 1);
  out.dark =
      std::accumulate(out.fsc.begin() + 1, out.fsc.begin() + static_cast<std::ptrdiff_t>(last), 0.0) < 0;
  if (out.dark)
    for (auto& c : out.fsc) c = -c;
  const double shell = crossing(out.fsc, 0.5);
  out.resolution = shell > 0 ? grid.box * grid.pixel_size / shell : std::numeric_limits<double>::infinity();
  return out;
}

}  // namespace cryoscape::density
