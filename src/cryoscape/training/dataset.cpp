#include "cryoscape/training/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::training {
namespace {

constexpr int kDefaultBox = 128;
constexpr double kMatch = 3;  ///< significance below which the reference does not match the images
constexpr double kPoorDocking = 0.2;
constexpr std::size_t kContrastSample = 500;

/// Training box: as asked for; or fine enough for the resolution; or the images' own up to 128.
int choose_box(const InputOptions& options, const optics::OpticsGroup& group) {
  if (options.box % 2) fail("--box is {}, but must be even", options.box);
  if (options.box > group.box)
    fail("--box is {}, but the images have only {} pixels", options.box, group.box);
  if (options.box > 0) return options.box;
  int box = std::min(kDefaultBox, group.box);
  if (options.resolution > 0) {
    const double extent = group.box * group.pixel_size;
    box = std::min(group.box,
                   optics::good_fft_size(static_cast<int>(std::ceil(2 * extent / options.resolution))));
  }
  return box;
}

Grid choose_grid(const InputOptions& options, const particles::ParticleSet& set,
                 std::span<const float> model) {
  // The most frequent optics group is the measure.
  std::vector<std::size_t> counts(set.optics_groups.size());
  for (const auto& p : set.particles) ++counts[p.optics_group];
  const auto& group = set.optics_groups[std::max_element(counts.begin(), counts.end()) - counts.begin()];
  Grid grid;
  grid.box = choose_box(options, group);
  grid.pixel_size = group.box * group.pixel_size / grid.box;
  grid.max_shell = grid.box / 2;
  if (options.resolution > 0)
    grid.max_shell =
        std::min(grid.box / 2, static_cast<int>(std::floor(grid.box * grid.pixel_size / options.resolution)));
  if (grid.max_shell < 4)
    fail("--resolution {} leaves too few frequencies in a box of {:.0f} A", options.resolution,
         grid.box * grid.pixel_size);
  double radius = 0;
  for (std::size_t n = 0; n + 2 < model.size(); n += 3)
    radius = std::max(radius, std::sqrt(double(model[n]) * model[n] + double(model[n + 1]) * model[n + 1] +
                                        double(model[n + 2]) * model[n + 2]));
  const double extent = grid.box * grid.pixel_size;
  grid.diameter = options.diameter > 0 ? options.diameter : std::min(2.4 * radius, 0.95 * extent);
  if (grid.diameter > extent)
    fail("--diameter is {:.0f} A, but the box is only {:.0f} A wide: no background is left", grid.diameter,
         extent);
  return grid;
}

}  // namespace

model::Scene Dataset::scene() const {
  model::Scene scene;
  scene.box = grid.box;
  scene.pixel_size = grid.pixel_size;
  scene.max_shell = grid.max_shell;
  scene.optics_groups = static_cast<int>(particles.optics_groups.size());
  scene.coordinates = structure::centred(beads.coordinates, grid.centre);
  scene.amplitudes = beads.amplitudes;
  return scene;
}

particles::LoaderOptions Dataset::loader_options(int batch, bool with_images, bool with_wide_ctf) const {
  particles::LoaderOptions options;
  options.grid = {grid.box, grid.pixel_size, grid.diameter, grid.sign};
  options.batch = batch;
  options.workers = std::clamp(thread_count() / 2, 1, 4);
  options.with_images = with_images;
  options.with_wide_ctf = with_wide_ctf;
  return options;
}

Dataset open_dataset(const InputOptions& options, const std::optional<Grid>& grid) {
  Dataset data;
  if (options.model.empty()) throw UsageError("--model is missing: give the reference atomic model");
  particles::ReadOptions read;
  if (options.dir) read.dir = *options.dir;
  if (options.subset) read.subset = *options.subset;
  read.half = options.half;
  data.particles = particles::read_particles(options.particles, read);
  data.reference = io::read_models(options.model).front();
  data.beads = structure::make_beads(data.reference, structure::parse_bead_level(options.beads));
  if (grid) {
    data.grid = *grid;
    return data;
  }
  std::optional<io::Volume> map;
  std::optional<io::MrcHeader> header;
  if (options.map) {
    header = io::read_mrc_header(*options.map);
    if (header->pixel_size <= 0) fail("{} has no pixel size in its header", *options.map);
    map = io::read_mrc_volume(*options.map);
  }
  std::optional<structure::ModelOrigin> origin;
  if (options.model_origin)
    origin =
        *options.model_origin == "corner" ? structure::ModelOrigin::corner : structure::ModelOrigin::centre;
  const auto& group = data.particles.optics_groups.front();
  const auto centre =
      structure::find_model_centre(data.beads.coordinates, group.box * group.pixel_size, header, origin);
  data.grid = choose_grid(options, data.particles, structure::centred(data.beads.coordinates, centre.centre));
  data.grid.centre = centre.centre;
  data.notes.push_back("model is " + centre.how);
  if (map) {
    const auto c = structure::correlate_with_map(*map, data.beads.coordinates, data.beads.amplitudes,
                                                 std::max(3.0, 1.5 * map->pixel_size));
    data.notes.push_back(fmt::format(
        "correlation of the model's density with the map: {:.3f} (mirrored {:.3f})", c.as_given, c.mirrored));
    if (c.as_given < kPoorDocking)
      data.warnings.push_back("the model does not fit the map: dock it again (ChimeraX: fitmap)");
    if (c.mirrored > c.as_given + 0.05)
      data.warnings.push_back("the mirrored model fits the map better: the map may have the wrong hand");
  }
  return data;
}

Agreement measure_agreement(const Dataset& data, double bead_sigma, std::size_t sample) {
  std::vector<std::uint32_t> all(data.particles.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  auto order = particles::shuffled_order(all, 1, 0, 1);
  order.resize(std::min(order.size(), sample));
  const auto scene = data.scene();
  const model::SpectralModel spectral(scene.box, scene.max_shell, scene.optics_groups);
  projection::ProjectionSpec spec{scene.box, static_cast<float>(scene.pixel_size),
                                  static_cast<float>(bead_sigma)};
  model::LikelihoodOptions likelihood;
  likelihood.correlation = true;
  particles::ParticleLoader loader(data.particles, data.loader_options(64, false));
  loader.start(order);
  particles::Batch batch;
  double sum = 0, square = 0, n = 0;
  const auto reference = torch::tensor(scene.coordinates).view({1, -1, 3});
  while (loader.next(batch)) {
    throw_if_interrupted();
    if (batch.size() == 0) continue;
    const auto coordinates = reference.expand({batch.size(), -1, -1}).contiguous();
    std::vector<float> score(batch.size());
    model::LikelihoodOutput output;
    output.log_likelihood = score.data();
    model::evaluate_likelihood(spec, scene.amplitudes, spectral, likelihood, model::view(batch, coordinates),
                               output);
    for (const double s : score) sum += s, square += s * s, n += 1;
  }
  if (n == 0)
    fail("{}: none of the sampled images can be used (constant or not finite)",
         data.particles.source.string());
  const double mean = sum / n;
  return {mean, std::sqrt(std::max(square / n - mean * mean, 1e-20) / n)};
}

void decide_contrast(Dataset& data, const InputOptions& options, double bead_sigma) {
  data.grid.sign = options.contrast == "black" ? -1.0f : 1.0f;
  const auto agreement = measure_agreement(data, bead_sigma, kContrastSample);
  const double z = agreement.significance();
  data.notes.push_back(fmt::format("correlation of images with the reference's projections: {:.4f} +- {:.4f}",
                                   agreement.correlation, agreement.standard_error));
  if (options.contrast == "auto" && z < -kMatch) {
    data.grid.sign = -data.grid.sign;
    data.notes.push_back("particles are dark: the images are inverted (--contrast black)");
  } else if (z < kMatch) {
    data.warnings.push_back(
        "the reference's projections do not match the images: check model, docking, poses and pixel size");
  }
  if (options.invert) data.grid.sign = -data.grid.sign;
}

}  // namespace cryoscape::training
