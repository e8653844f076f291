#include "cryoscape/training/benchmark_data.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <system_error>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/mrc.hpp"
#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/training/benchmark_globule.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::training {
namespace {

constexpr double kPixelSize = 1, kSigma = 2;  // Å
constexpr double kSnr = 0.05;
constexpr int kStoredImages = 512;  ///< at most
constexpr int kShuffleBlock = 256;
constexpr std::uint64_t kSeed = 1;
enum Stream : std::uint64_t { kPoses = 0, kNoise = 1000000 };

void require_even(int box, const char* option) {
  if (box % 2) throw UsageError(fmt::format("--{} is {}, but must be even", option, box));
}

model::Scene make_scene(const structure::BeadModel& beads, int box) {
  double radius = 0;
  for (std::size_t n = 0; n < beads.size(); ++n)
    radius = std::max<double>(radius, std::hypot(beads.coordinates[3 * n], beads.coordinates[3 * n + 1],
                                                 beads.coordinates[3 * n + 2]));
  if (const double needed = 2 * (radius + 3 * kSigma) / kPixelSize; box < needed)
    throw UsageError(fmt::format("--box is {}, but {} residues need at least {}", box, beads.size(),
                                 2 * static_cast<int>(std::ceil(needed / 2))));
  model::Scene scene;
  scene.box = box;
  scene.pixel_size = kPixelSize;
  scene.max_shell = box / 2;
  scene.coordinates = beads.coordinates;
  scene.amplitudes = beads.amplitudes;
  return scene;
}

particles::ParticleSet make_particles(int count, int images, int box, double pixel_size,
                                      const std::filesystem::path& stack) {
  particles::ParticleSet set;
  set.source = stack;
  set.stacks = {stack};
  set.stack_names = {stack.string()};
  optics::OpticsGroup group;
  group.name = "bench";
  group.box = box;
  group.pixel_size = pixel_size;
  set.optics_groups = {group};
  set.particles.resize(count);
  set.rows.resize(count);
  for (int i = 0; i < count; ++i) {
    auto& p = set.particles[i];
    p.slice = static_cast<std::uint32_t>(i % images);
    set.rows[i] = static_cast<std::uint32_t>(i);
    Philox random(kSeed, kPoses + p.slice);
    const auto rotation = geometry::random_rotation(random);
    std::copy(rotation.begin(), rotation.end(), p.rotation.begin());
    for (auto& s : p.shift) s = static_cast<float>(2 * random.normal());
    p.ctf.defocus_u = static_cast<float>(10000 + 10000 * random.uniform());
    p.ctf.defocus_v = p.ctf.defocus_u - static_cast<float>(200 * random.uniform());
    p.ctf.defocus_angle = static_cast<float>(3 * random.uniform());
  }
  return set;
}

/// Noise-free image of a particle on the stored grid.
void draw(const model::Scene& scene, const optics::OpticsGroup& group, const particles::Particle& particle,
          std::span<float> image) {
  projection::ProjectionSpec spec;
  spec.box = group.box;
  spec.pixel_size = static_cast<float>(group.pixel_size);
  spec.sigma = static_cast<float>(kSigma);
  projection::project_one(spec, scene.amplitudes, scene.coordinates.data(), particle.rotation.data(),
                          particle.shift.data(), image.data());
  std::vector<float> ctf(optics::half_size(group.box));
  optics::evaluate_ctf(group, particle.ctf, group.box, group.pixel_size, ctf);
  optics::apply_filter(group.box, image.data(), ctf.data());
}

double power(std::span<const float> image) {
  double sum = 0;
  for (const double v : image) sum += v * v;
  return sum / static_cast<double>(image.size());
}

void write_images(const model::Scene& scene, const particles::ParticleSet& set, int images) {
  const auto& group = set.optics_groups.front();
  const std::size_t pixels = static_cast<std::size_t>(group.box) * group.box;
  io::StackWriter writer(set.stacks.front(), group.box, group.pixel_size);
  std::vector<float> chunk;
  double signal = 0;
  for (int begin = 0; begin < images; begin += 64) {
    throw_if_interrupted();
    const int count = std::min(64, images - begin);
    chunk.resize(count * pixels);
    parallel_for(count, [&](std::size_t i) {
      draw(scene, group, set.particles[begin + i], {chunk.data() + pixels * i, pixels});
    });
    if (begin == 0) signal = power(chunk);
    const auto scale = static_cast<float>(std::sqrt(kSnr / signal));
    parallel_for(count, [&](std::size_t i) {
      Philox random(kSeed, kNoise + begin + i);
      for (std::size_t k = pixels * i; k < pixels * (i + 1); ++k)
        chunk[k] = scale * chunk[k] + static_cast<float>(random.normal());
    });
    for (int i = 0; i < count; ++i) writer.append({chunk.data() + pixels * i, pixels});
  }
  writer.close();
}

}  // namespace

void BenchmarkOptions::declare(OptionSet& set) {
  const auto bounded = [](Option& option, double minimum, double maximum) {
    option.minimum = minimum, option.maximum = maximum;
  };
  bounded(set.add("residues", &residues, "residues of the globule"), 10, 1000000);
  bounded(set.add("box", &box, "training box, pixels of 1 A, even"), 16, 2048);
  bounded(set.add("batch", &batch, "particles per step"), 1, 65536);
  bounded(
      set.add("source-box", &source_box, "box of the stored images, even, cropped to --box (0: the same)"), 0,
      4096);
  bounded(set.add("particles", &particles, "particles of the set, which share at most 512 stored images"), 1,
          100000000);
  bounded(set.add("seconds", &seconds, "how long each of the two paths is measured, in turns"), 0.1, 3600);
}

TemporaryFolder::TemporaryFolder() {
  auto name = (std::filesystem::temp_directory_path() / "cryoscape-bench-XXXXXX").string();
  if (!mkdtemp(name.data()))
    fail("cannot make a temporary folder {}: {} (TMPDIR chooses another place)", name,
         std::generic_category().message(errno));
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

BenchmarkData::BenchmarkData(const BenchmarkOptions& options) {
  const int stored_box = options.source_box > 0 ? options.source_box : options.box;
  require_even(options.box, "box");
  require_even(stored_box, "source-box");
  if (stored_box < options.box)
    throw UsageError(
        fmt::format("--source-box is {}, but must not be smaller than --box, {}", stored_box, options.box));
  beads = structure::make_beads(make_globule(options.residues), structure::BeadLevel::residue);
  scene = make_scene(beads, options.box);
  const double extent = options.box * kPixelSize;
  const int images = std::min(options.particles, kStoredImages);
  particles = make_particles(options.particles, images, stored_box, extent / stored_box,
                             folder.path() / "particles.mrcs");
  write_images(scene, particles, images);
  loader.grid = {options.box, kPixelSize, 0.95 * extent, 1};
  loader.batch = options.batch;
  loader.workers = std::clamp(thread_count() / 2, 1, 4);
  loader.with_images = true;
}

std::vector<std::uint32_t> BenchmarkData::order(std::size_t count) const {
  std::vector<std::uint32_t> all(particles.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto epoch = particles::shuffled_order(std::move(all), kSeed, 0, kShuffleBlock);
  std::vector<std::uint32_t> out;
  while (out.size() < count)
    out.insert(out.end(), epoch.begin(),
               epoch.begin() + static_cast<std::ptrdiff_t>(std::min(epoch.size(), count - out.size())));
  return out;
}

}  // namespace cryoscape::training
