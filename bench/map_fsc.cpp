// How well maps agree with true ones: map_fsc MAP TRUTH [MAP TRUTH …]
//
// Prints, per pair, where their Fourier shell correlation under a soft sphere first falls below 0.5, and its
// mean over all shells but the first: the area under the curve that CryoBench scores maps by (Jeon et al.,
// NeurIPS 2024). The last line has the means over the pairs.
#include <fmt/format.h>

#include <numeric>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/error.hpp"

using namespace cryoscape;

int main(int argc, char** argv) try {
  if (argc < 3 || argc % 2 == 0) fail("usage: map_fsc MAP TRUTH [MAP TRUTH …]");
  double resolutions = 0, areas = 0;
  for (int i = 1; i < argc; i += 2) {
    const auto map = io::read_mrc_volume(argv[i]);
    const auto truth = density::read_map(argv[i + 1], map.nx, map.pixel_size);
    const double extent = map.nx * map.pixel_size;
    const auto mask = density::soft_sphere(map.nx, map.pixel_size, 0.8 * extent, 5 * map.pixel_size);
    const auto fsc = density::map_correlation(map.nx, map.data, truth, mask);
    const double resolution = extent / density::crossing(fsc, 0.5),
                 area =
                     std::accumulate(fsc.begin() + 1, fsc.end(), 0.0) / static_cast<double>(fsc.size() - 1);
    fmt::print("{}  FSC 0.5 at {:.2f} A, mean {:.4f}\n", argv[i], resolution, area);
    resolutions += resolution, areas += area;
  }
  const double pairs = (argc - 1) / 2;
  fmt::print("mean  {:.2f} A, {:.4f}\n", resolutions / pairs, areas / pairs);
  return 0;
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
