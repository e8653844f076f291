#include "cryoscape/simulation/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::simulation {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

void write_row(std::ostream& stream, const std::vector<std::string>& fields) {
  std::vector<std::string_view> views(fields.begin(), fields.end());
  io::write_star_row(stream, views);
}

/// A bead's Gaussian along one axis, cut at `radius` pixels: weights of the voxels from `first` on, sum
/// about 1.
struct Profile {
  int first = 0;
  std::vector<float> weight;
};

Profile axis_profile(double centre, double sigma, double radius, int box) {
  Profile p;
  p.first = std::max(0, static_cast<int>(std::ceil(centre - radius)));
  const int last = std::min(box - 1, static_cast<int>(std::floor(centre + radius)));
  for (int i = p.first; i <= last; ++i)
    p.weight.push_back(static_cast<float>(std::exp(-0.5 * std::pow((i - centre) / sigma, 2)) /
                                          (sigma * std::sqrt(2 * std::numbers::pi))));
  return p;
}

io::Volume density(const std::vector<float>& coordinates, const std::vector<float>& amplitudes,
                   const projection::ProjectionSpec& spec) {
  const int box = spec.box;
  const double a = spec.pixel_size, sigma = spec.sigma / a, radius = projection::window_radius(spec),
               half = box / 2;
  io::Volume map;
  map.nx = map.ny = map.nz = box;
  map.pixel_size = a;
  map.origin = {-half * a, -half * a, -half * a};
  map.data.assign(static_cast<std::size_t>(box) * box * box, 0.0f);
  for (std::size_t n = 0; n < amplitudes.size(); ++n) {
    std::array<Profile, 3> axis;
    for (int k = 0; k < 3; ++k) axis[k] = axis_profile(coordinates[3 * n + k] / a + half, sigma, radius, box);
    for (std::size_t z = 0; z < axis[2].weight.size(); ++z)
      for (std::size_t y = 0; y < axis[1].weight.size(); ++y) {
        float* row = map.data.data() + ((axis[2].first + z) * box + axis[1].first + y) * box + axis[0].first;
        const float weight = amplitudes[n] * axis[2].weight[z] * axis[1].weight[y];
        for (std::size_t x = 0; x < axis[0].weight.size(); ++x) row[x] += weight * axis[0].weight[x];
      }
  }
  return map;
}

}  // namespace

OutputPaths::OutputPaths(const std::filesystem::path& folder)
    : stack(folder / "particles.mrcs"),
      star(folder / "particles.star"),
      truth(folder / "truth.star"),
      maps(folder / "truth_maps") {}

void check_output(const OutputPaths& paths, bool with_maps, bool force) {
  if (force) return;
  std::vector<std::filesystem::path> files{paths.stack, paths.star, paths.truth};
  if (with_maps) files.push_back(paths.maps);
  for (const auto& file : files)
    if (std::filesystem::exists(file))
      fail("{} exists: choose another --out, or give --force to replace it", file.string());
}

std::string image_name(std::size_t index) { return fmt::format("{:06}@particles.mrcs", index + 1); }

void write_star(const std::filesystem::path& path, const optics::OpticsGroup& group,
                const std::vector<ParticleDraw>& particles) {
  replace_file_stream(path, [&](std::ostream& stream) {
    io::StarTable optics;
    optics.name = "optics";
    optics.columns = {"rlnOpticsGroupName", "rlnOpticsGroup",         "rlnMicrographOriginalPixelSize",
                      "rlnVoltage",         "rlnSphericalAberration", "rlnAmplitudeContrast",
                      "rlnImagePixelSize",  "rlnImageSize",           "rlnImageDimensionality"};
    io::write_star_head(stream, optics);
    const auto pixel_size = fmt::format("{:.6f}", group.pixel_size);
    write_row(stream, {group.name, "1", pixel_size, fmt::format("{:.6f}", group.voltage_kv),
                       fmt::format("{:.6f}", group.cs_mm), fmt::format("{:.6f}", group.amplitude_contrast),
                       pixel_size, fmt::format("{}", group.box), "2"});
    stream << '\n';

    const bool b_factor =
        std::any_of(particles.begin(), particles.end(), [](const auto& p) { return p.ctf.b_factor != 0; });
    io::StarTable table;
    table.name = "particles";
    table.columns = {"rlnImageName",    "rlnAngleRot",     "rlnAngleTilt",   "rlnAnglePsi",
                     "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU",    "rlnDefocusV",
                     "rlnDefocusAngle", "rlnOpticsGroup",  "rlnRandomSubset"};
    if (b_factor) table.columns.emplace_back("rlnCtfBfactor");
    io::write_star_head(stream, table);
    for (std::size_t i = 0; i < particles.size(); ++i) {
      const auto& p = particles[i];
      std::vector<std::string> row{image_name(i)};
      for (const double v :
           {p.pose.rot * kDegrees, p.pose.tilt * kDegrees, p.pose.psi * kDegrees, p.pose.shift_x,
            p.pose.shift_y, double{p.ctf.defocus_u}, double{p.ctf.defocus_v}, p.ctf.defocus_angle * kDegrees})
        row.push_back(fmt::format("{:.6f}", v));
      row.emplace_back("1");
      row.push_back(fmt::format("{}", p.half));
      if (b_factor) row.push_back(fmt::format("{:.6f}", p.ctf.b_factor));
      write_row(stream, row);
    }
  });
}

void write_truth_maps(const std::filesystem::path& folder, const Scene& scene,
                      const projection::ProjectionSpec& spec) {
  parallel_for(static_cast<std::size_t>(scene.models()), [&](std::size_t m) {
    throw_if_interrupted();
    io::write_mrc(folder / fmt::format("model_{:03}.mrc", m + 1),
                  density(scene.coordinates(static_cast<double>(m) + 1), scene.amplitudes(), spec));
  });
  // Maps of an earlier, longer series would pass for this one's.
  for (int m = scene.models() + 1; std::filesystem::remove(folder / fmt::format("model_{:03}.mrc", m)); ++m) {
  }
}

}  // namespace cryoscape::simulation
