#include "cryoscape/density/backproject.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "cryoscape/density/fsc_output.hpp"
#include "cryoscape/density/grid.hpp"
#include "cryoscape/density/half_sets.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/local_filter.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/noise_power.hpp"
#include "cryoscape/density/radial_filter.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/geometry/symmetry.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::density {
namespace {
namespace fs = std::filesystem;

constexpr double kLocalWindow = 12;  ///< Å, standard deviation

const char* const kSharpened = "map_sharpened.mrc";
const char* const kLocal = "map_local.mrc";
const char* const kLocalResolution = "local_resolution.mrc";

void check_output(const fs::path& folder, bool force) {
  if (force) return;
  for (const char* name :
       {"map.mrc", "half1.mrc", "half2.mrc", "fsc.star", kSharpened, kLocal, kLocalResolution})
    if (fs::exists(folder / name))
      fail("{} exists: choose another --out, or give --force to replace it", (folder / name).string());
}

/// The B-factor of --b-factor; nothing for "auto".
std::optional<double> parse_b_factor(const std::string& text) {
  if (text == "auto") return std::nullopt;
  double value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !std::isfinite(value))
    throw UsageError("--b-factor is '" + text + "', but must be a number of A^2 or auto");
  return value;
}

particles::ParticleSet read_set(const DensityOptions& options) {
  particles::ReadOptions read;
  if (options.dir) read.dir = *options.dir;
  if (options.subset) read.subset = *options.subset;
  auto set = particles::read_particles(options.particles, read);
  if (set.size() == 0) fail("{} holds no particles", options.particles);
  divide_half_sets(set);
  for (const auto& note : set.notes) spdlog::info("{}", note);
  return set;
}

/// Mean amplitudes per shell of the mean of two half-maps, the noise's share taken off by the FSC (Rosenthal
/// and Henderson 2003).
std::vector<double> signal_amplitudes(int box, const std::array<std::vector<float>, 2>& halves,
                                      const std::vector<double>& fsc) {
  std::vector<float> mean(halves[0].size());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = 0.5f * (halves[0][i] + halves[1][i]);
  std::vector<std::complex<float>> spectrum(optics::half_size3(box));
  optics::rfft3(box, mean.data(), spectrum.data());
  auto amplitudes = shell_amplitudes(box, spectrum);
  for (std::size_t s = 0; s < amplitudes.size(); ++s) {
    const double half = std::clamp(fsc[s], 0.0, 1.0);
    amplitudes[s] *= std::sqrt(2 * half / (1 + half));
  }
  return amplitudes;
}

/// FSC of the half-maps; writes them.
std::array<std::vector<float>, 2> write_halves(const HalfSums& halves, const particles::ImageGrid& grid,
                                               const fs::path& folder, const std::vector<float>& mask,
                                               Reconstruction& result) {
  std::array<std::vector<float>, 2> maps;
  for (int h = 0; h < 2; ++h) {
    maps[h] = unfiltered_map(halves.sums[h]);
    clear_corners(grid.box, maps[h]);
    write_map(folder / (h ? "half2.mrc" : "half1.mrc"), grid, maps[h]);
  }
  result.fsc = measure_fsc(grid.box, maps[0], maps[1], mask);
  return maps;
}

/// Filters a map by local resolution; writes both.
void filter_by_place(const particles::ImageGrid& grid, const std::array<std::vector<float>, 2>& halves,
                     const std::vector<float>& map, const std::vector<float>& mask, const fs::path& folder,
                     Reconstruction& result) {
  auto local = filter_locally(grid.box, grid.pixel_size, halves[0], halves[1], map, kLocalWindow);
  result.local_resolution = resolution_range(local.resolution, mask);
  if (result.b_factor) apply_b_factor(grid.box, grid.pixel_size, *result.b_factor, 0, local.map);
  write_map(folder / kLocal, grid, local.map);
  write_map(folder / kLocalResolution, grid, local.resolution);
}

void sharpen(const DensityOptions& options, const particles::ImageGrid& grid, std::vector<float> map,
             const fs::path& folder, Reconstruction& result) {
  if (!options.b_factor) return;
  result.b_factor = parse_b_factor(*options.b_factor).value_or(result.guinier.b_factor());
  if (!parse_b_factor(*options.b_factor) && result.guinier.last <= result.guinier.first)
    fail("no B-factor can be fitted: the resolution of {:.1f} A is not beyond 10 A; give --b-factor a number",
         result.resolution());
  apply_b_factor(grid.box, grid.pixel_size, *result.b_factor, result.resolution(), map);
  write_map(folder / kSharpened, grid, map);
}

}  // namespace

double Reconstruction::resolution(const std::vector<double>& curve, double threshold) const {
  const double shell = crossing(curve, threshold);
  return shell > 0 ? extent() / shell : std::numeric_limits<double>::infinity();
}

Reconstruction back_project_particles(const DensityOptions& options, const fs::path& folder, bool force) {
  if (options.b_factor) parse_b_factor(*options.b_factor);
  geometry::point_group(options.symmetry);
  check_output(folder, force);
  const auto set = read_set(options);
  const auto grid = choose_grid(options, set);
  check_memory(options, grid.box, back_projection_bytes(grid.box));
  const auto mask = fsc_mask(options, grid);
  const auto check =
      options.check ? read_map(*options.check, grid.box, grid.pixel_size) : std::vector<float>();

  io::StackReader reader;
  const auto noise = measure_noise_power(set, reader, grid);
  const auto halves = back_project(set, reader, grid, noise, options.symmetry);
  Reconstruction result;
  result.box = grid.box, result.pixel_size = grid.pixel_size;
  result.particles = halves.particles, result.left_out = halves.left_out, result.symmetry = options.symmetry;
  result.mask_fraction = std::accumulate(mask.begin(), mask.end(), 0.0) / static_cast<double>(mask.size());
  for (int h = 0; h < 2; ++h)
    if (halves.particles[h] == 0)
      fail("{}: none of the images of half-set {} can be used (constant or not finite)", set.source.string(),
           h + 1);

  const auto half_maps = write_halves(halves, grid, folder, mask, result);
  result.guinier = fit_guinier(signal_amplitudes(grid.box, half_maps, result.fsc.corrected), result.extent(),
                               result.resolution());
  const Accumulator* both[] = {&halves.sums[0], &halves.sums[1]};
  auto ratio = noise_to_signal(result.fsc.corrected);
  auto map = reconstruct(both, ratio);
  clear_corners(grid.box, map);
  const auto whole = options.local ? map : std::vector<float>();
  // On the map's own grid: before the padded box is cut, one shell would leak into the next.
  for (double& n : ratio) n = 1 / (1 + n);
  scale_shells(grid.box, ratio, map);
  write_map(folder / "map.mrc", grid, map);
  for (const char* name : {kSharpened, kLocal, kLocalResolution})
    if (force) fs::remove(folder / name);  // of an earlier reconstruction
  if (!check.empty())
    result.check = {map_correlation(grid.box, map, check), map_correlation(grid.box, map, check, mask)};
  sharpen(options, grid, map, folder, result);
  if (options.local) filter_by_place(grid, half_maps, whole, mask, folder, result);
  write_fsc_star(folder / "fsc.star", result);
  return result;
}

}  // namespace cryoscape::density
