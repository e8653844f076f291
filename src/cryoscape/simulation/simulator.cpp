#include "cryoscape/simulation/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/simulation/imaging.hpp"
#include "cryoscape/simulation/output.hpp"
#include "cryoscape/simulation/particle_draw.hpp"
#include "cryoscape/simulation/profile.hpp"
#include "cryoscape/simulation/scene.hpp"
#include "cryoscape/simulation/truth.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/log.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::simulation {
namespace {

constexpr double kResidueSigma = 2.0, kAtomSigma = 1.2;  // Å
// The scale of the signal comes from the first particles of the data set: their mean variance is known to 0.5
// %, and sets of up to this size have the asked SNR exactly.
constexpr std::size_t kScaleSample = 4096;
constexpr std::size_t kChunkBytes = std::size_t{32} << 20;

std::unique_ptr<Distribution> make_distribution(const SimulationOptions& options, int models) {
  if (options.profile && options.populations) fail("--profile and --populations cannot both be given");
  if (options.profile) return std::make_unique<ProfileDistribution>(read_profile(*options.profile), models);
  if (options.populations)
    return std::make_unique<PopulationDistribution>(parse_populations(*options.populations), options.spread,
                                                    models);
  return std::make_unique<UniformDistribution>(models);
}

void check_options(const SimulationOptions& options) {
  if (options.box % 2 != 0) fail("--box is {}, but must be even", options.box);
  if (options.defocus.size() != 2 || !(options.defocus[0] <= options.defocus[1]))
    fail("--defocus needs the lowest and the highest defocus in micrometres, for example 1.0,2.0");
  if (options.spread > 0 && !options.populations) fail("--spread needs --populations");
}

optics::OpticsGroup make_optics(const SimulationOptions& options) {
  optics::OpticsGroup group;
  group.name = "opticsGroup1";
  group.voltage_kv = options.voltage;
  group.cs_mm = options.cs;
  group.amplitude_contrast = options.amplitude_contrast;
  group.pixel_size = options.pixel_size;
  group.box = options.box;
  return group;
}

projection::ProjectionSpec make_spec(const SimulationOptions& options, structure::BeadLevel level) {
  projection::ProjectionSpec spec;
  spec.box = options.box;
  spec.pixel_size = static_cast<float>(options.pixel_size);
  spec.sigma = static_cast<float>(
      options.bead_sigma.value_or(level == structure::BeadLevel::residue ? kResidueSigma : kAtomSigma));
  return spec;
}

/// The data set in the making.
class Simulation {
 public:
  Simulation(const SimulationOptions& options, const Scene& scene, const Distribution& distribution)
      : options_(options),
        scene_(scene),
        source_(options, distribution),
        group_(make_optics(options)),
        imager_(make_spec(options, scene.level()), group_),
        noise_(options.noise == "coloured", options.box, options.pixel_size),
        globule_(random_globule(scene.amplitudes().size(), scene.radius_of_gyration(),
                                static_cast<std::uint64_t>(options.seed))) {}

  void run(const OutputPaths& paths);
  const projection::ProjectionSpec& spec() const { return imager_.spec(); }

 private:
  std::size_t pixels() const { return static_cast<std::size_t>(options_.box) * options_.box; }
  void find_scale();
  double make_image(std::size_t index, const ParticleDraw& particle, Imager::Scratch& scratch,
                    std::vector<float>& work, std::span<float> image) const;

  const SimulationOptions& options_;
  const Scene& scene_;
  ParticleSource source_;
  optics::OpticsGroup group_;
  Imager imager_;
  NoiseModel noise_;
  std::vector<float> globule_;
  double scale_ = 1;  ///< of the signal, for noise of unit variance
};

void Simulation::find_scale() {
  const auto count = std::min(static_cast<std::size_t>(options_.particles), kScaleSample);
  std::vector<double> variances(count);
  parallel_ranges(count, [&](std::size_t begin, std::size_t end) {
    Imager::Scratch scratch;
    std::vector<float> image(pixels());
    for (auto i = begin; i < end; ++i) {
      throw_if_interrupted();
      const auto particle = source_.draw(i);
      imager_.draw(scene_.amplitudes(), scene_.coordinates(particle.placement.model), particle.pose,
                   particle.ctf, scratch, image);
      variances[i] = variance(image);
    }
  });
  // Junk does not count, unless there is nothing else.
  double sum = 0, all = 0;
  std::size_t molecules = 0;
  for (std::size_t i = 0; i < count; ++i) {
    all += variances[i];
    if (source_.draw(i).content == Content::molecule) sum += variances[i], ++molecules;
  }
  const double mean = molecules > 0 ? sum / static_cast<double>(molecules) : all / static_cast<double>(count);
  if (!(mean > 0)) fail("the simulated images are empty: check --pixel-size, --box and the models");
  scale_ = std::sqrt(options_.snr / mean);
}

/// Returns the particle's Cramér–Rao bound, NaN where there is none.
double Simulation::make_image(std::size_t index, const ParticleDraw& particle, Imager::Scratch& scratch,
                              std::vector<float>& work, std::span<float> image) const {
  noise_.draw(static_cast<std::uint64_t>(options_.seed), stream_of(Stream::noise, index), scratch, image);
  double bound = std::numeric_limits<double>::quiet_NaN();
  if (particle.content == Content::noise) return bound;

  const double model = particle.placement.model;
  const bool junk = particle.content == Content::wrong_molecule;
  imager_.draw(scene_.amplitudes(), junk ? globule_ : scene_.coordinates(model), particle.pose, particle.ctf,
               scratch, work);
  const auto scale = static_cast<float>(scale_);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] += scale * work[i];
  if (junk || scene_.models() < 2) return bound;

  imager_.differentiate(scene_.amplitudes(), scene_.path_coordinates(model), scene_.tangent(model),
                        particle.pose, particle.ctf, scratch, work);
  const double information = scale_ * scale_ * noise_.information(work, scratch);
  return information > 0 ? 1 / std::sqrt(information) : bound;
}

void Simulation::run(const OutputPaths& paths) {
  find_scale();
  const auto count = static_cast<std::size_t>(options_.particles);
  std::vector<ParticleDraw> particles(count);
  Truth truth;
  truth.bound.resize(count);

  io::StackWriter stack(paths.stack, options_.box, options_.pixel_size);
  const std::size_t chunk = std::clamp<std::size_t>(kChunkBytes / (pixels() * sizeof(float)), 1, count);
  std::vector<float> images(chunk * pixels());
  {
    Progress progress("simulating", count, "particles");
    for (std::size_t start = 0; start < count; start += chunk) {
      const std::size_t here = std::min(chunk, count - start);
      parallel_ranges(here, [&](std::size_t begin, std::size_t end) {
        Imager::Scratch scratch;
        std::vector<float> work(pixels());
        for (auto i = begin; i < end; ++i) {
          throw_if_interrupted();
          const std::size_t index = start + i;
          particles[index] = source_.draw(index);
          truth.bound[index] = make_image(index, particles[index], scratch, work,
                                          std::span(images).subspan(i * pixels(), pixels()));
        }
      });
      for (std::size_t i = 0; i < here; ++i) stack.append(std::span(images).subspan(i * pixels(), pixels()));
      progress.advance(here);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto& p = particles[i];
    const bool junk = p.content != Content::molecule;
    truth.image_name.push_back(image_name(i));
    truth.model.push_back(junk ? 0 : p.placement.model);
    truth.state.push_back(junk ? 0 : p.placement.state);
    truth.junk.push_back(junk);
    truth.wrong_molecule.push_back(p.content == Content::wrong_molecule);
  }
  stack.close();
  write_truth(paths.truth, truth);
  write_star(paths.star, group_, particles);
}

}  // namespace

void SimulationOptions::declare(OptionSet& set) {
  const auto bounded = [&](const char* name, Option::Target target, double low, double high,
                           const char* help) {
    auto& option = set.add(name, target, help);
    option.minimum = low, option.maximum = high;
  };
  set.add("profile", &profile,
          "energy profile along the models: CSV of position (0 to 1) and energy in kT; its basins are the "
          "states");
  set.add("populations", &populations,
          "states as model:weight,… (models count from 1); without it or --profile particles lie uniformly "
          "along the models");
  bounded("spread", &spread, 0, 1e6, "standard deviation of a state's particles about its model, in models");
  bounded("particles", &particles, 1, 1e8, "number of particles");
  bounded("box", &box, 8, 2048, "side of the images, pixels (even)");
  bounded("pixel-size", &pixel_size, 0.05, 100, "A per pixel");
  bounded("snr", &snr, 1e-6, 1e6,
          "variance of the noise-free image over variance of the noise, in the whole box");
  set.add("defocus", &defocus, "lowest and highest defocus, micrometres");
  bounded("astigmatism", &astigmatism, 0, 1e5, "largest difference of the two defoci, A");
  bounded("shift", &shift, 0, 1e4, "standard deviation of the particles' shifts in x and in y, A");
  bounded("junk", &junk, 0, 1, "fraction of junk: half of it pure noise, half a wrong molecule");
  set.add("views", &views,
          "view directions: uniform, or uneven (70 % of the particles near two preferred views)")
      .choices = {"uniform", "uneven"};
  bounded("b-factor", &b_factor, 0, 1e4, "B-factor of the images, A^2");
  set.add("noise", &noise, "white noise, or coloured noise that is strongest at low resolution").choices = {
      "white", "coloured"};
  set.add("beads", &beads,
          "what is projected: one bead per residue, every heavy atom, or what the models have (auto)")
      .choices = {"auto", "residue", "all-atom"};
  bounded("bead-sigma", &bead_sigma, 0.2, 20,
          "standard deviation of a bead's density, A (default: 2 for residues, 1.2 for atoms)");
  bounded("voltage", &voltage, 10, 3000, "acceleration voltage, kV");
  bounded("cs", &cs, 0, 100, "spherical aberration, mm");
  bounded("amplitude-contrast", &amplitude_contrast, 0, 1, "amplitude contrast");
  set.add("superpose", &superpose, "move every model onto the first by least squares before anything else");
  set.add("write-maps", &write_maps, "also write the density of every model to truth_maps/");
  bounded("seed", &seed, 0, 2147483647, "seed of all random numbers");
}

void simulate(const std::vector<std::filesystem::path>& models, const std::filesystem::path& out,
              const SimulationOptions& options, bool force) {
  check_options(options);
  const OutputPaths paths(out);
  check_output(paths, options.write_maps, force);

  std::vector<std::string> names;
  const auto atoms = read_all_models(models, names);
  const auto distribution = make_distribution(options, static_cast<int>(atoms.size()));
  const Scene scene(atoms, names, {options.beads, options.box * options.pixel_size, options.superpose});
  for (const auto& note : scene.notes()) spdlog::warn("{}", note);
  spdlog::info("{} models of {} beads ({}), path of {:.2f} A", scene.models(), scene.amplitudes().size(),
               scene.level() == structure::BeadLevel::residue ? "one per residue" : "one per heavy atom",
               scene.path().length());

  Simulation simulation(options, scene, *distribution);
  simulation.run(paths);
  if (options.write_maps) write_truth_maps(paths.maps, scene, simulation.spec());
  spdlog::info("{} particles written to {}", options.particles, paths.star.string());
}

}  // namespace cryoscape::simulation
