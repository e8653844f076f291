#include "cryoscape/training/run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <toml++/toml.h>

#include <limits>
#include <numeric>
#include <sstream>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/device.hpp"
#include "cryoscape/training/memory_need.hpp"
#include "cryoscape/training/refined_decoder.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/log.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/version.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kDecodeBatch = 256;
constexpr std::size_t kPriorSamples = 1000;
constexpr int kImportanceSamples = 16;  ///< of the final held-out bound

std::string absolute(const std::string& path) {
  return path.empty() ? path : fs::absolute(path).lexically_normal().string();
}

void make_absolute(std::optional<std::string>& path) {
  if (path) path = absolute(*path);
}

std::string toml_string(const std::string& text) {
  std::ostringstream stream;
  stream << toml::value<std::string>(text);
  return stream.str();
}

void write_latents(const RunFolder& folder, Trainer& trainer, const particles::ParticleSet& set,
                   const ProcessGroup& group) {
  std::vector<std::uint32_t> all(set.size());
  std::iota(all.begin(), all.end(), 0u);
  const auto latents = trainer.encode(all);
  const auto held_out = trainer.held_out_bound(), weighted = trainer.held_out_bound(kImportanceSamples);
  if (!group.first()) return;
  const std::vector<std::size_t> shape{all.size(), static_cast<std::size_t>(latents.dim)};
  io::write_npy(folder.file("latents.npy"), shape, latents.mean);
  io::write_npy(folder.file("latent_std.npy"), shape, latents.standard_deviation);
  const auto drawn = trainer.sample_prior(kPriorSamples).to(torch::kCPU, torch::kFloat32).contiguous();
  io::write_npy(folder.file("prior_samples.npy"), {kPriorSamples, shape[1]},
                {drawn.data_ptr<float>(), static_cast<std::size_t>(drawn.numel())});
  std::vector<float> table;
  for (std::size_t i = 0; i < held_out.bound.size(); ++i) {
    table.push_back(static_cast<float>(set.rows[held_out.indices[i]]));
    const float unknown = held_out.reliable ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    table.push_back(held_out.bound[i] + unknown);
    table.push_back(weighted.bound[i] + unknown);
  }
  io::write_npy(folder.file("held_out.npy"), {held_out.bound.size(), 3}, table);
}

particles::LoaderOptions loader_options(const Dataset& data, const RunSettings& settings) {
  auto loader = data.loader_options(settings.training.batch, settings.model.encoder_input == "image",
                                    settings.model.ctf_box == "wide");
  if (settings.input.cache)
    loader.cache = particles::ImageCache::create(*settings.input.cache, data.particles.size(),
                                                 particles::Preprocessor::cached_floats(data.grid.box));
  return loader;
}

std::int64_t parameter_count(const model::HeterogeneityModel& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

/// What an earlier run in the folder found: it must not be taken for this one's.
void remove_results(const RunFolder& folder) {
  for (const char* name : {"checkpoint.pt",
                           "train.jsonl",
                           "latents.npy",
                           "latent_std.npy",
                           "held_out.npy",
                           "prior_samples.npy",
                           "states.json",
                           "landscape.json",
                           "components.npy",
                           "assignments.npy",
                           "embedding.npy",
                           "outliers.npy",
                           "particles.star",
                           "report.html",
                           "structures/samples.cif",
                           "structures/samples.pdb",
                           "structures/samples.csv",
                           "refined_mean.npy",
                           "refined_cov.npy",
                           "refine.json",
                           "refined_decoder.pt",
                           "refitted_prior.pt",
                           "refitted_prior.json",
                           "refitted_prior_samples.npy",
                           "conformation_energy.npy"})
    fs::remove(folder.file(name));
  fs::remove_all(folder.file("likelihood"));
}

void check_processes(int processes, int batch, std::size_t particles) {
  const auto limit = std::min(static_cast<std::size_t>(batch), particles);
  if (static_cast<std::size_t>(processes) > limit)
    throw UsageError(fmt::format("{} processes are more than {} can be shared among: use at most {}",
                                 processes,
                                 limit == particles ? fmt::format("{} particles", particles)
                                                    : fmt::format("a batch of {} particles", batch),
                                 limit));
}

void check_precision(const RunSettings& settings, const torch::Device& device) {
  if (settings.model.encoder_precision == "bfloat16" && !model::has_bfloat16(device))
    throw UsageError("this processor has no fast bfloat16 products: leave out --encoder-precision bfloat16");
}

/// Importance-weighted bounds need a likelihood in nats and draws with a density, and a bound that the
/// restraints belong to needs the former.
void check_objective(const RunSettings& settings, const latent::Prior& prior, int processes) {
  if (settings.training.energy_in_prior && settings.model.likelihood == "correlation")
    throw UsageError("--energy-in-prior needs a likelihood in nats: leave out --likelihood correlation");
  if (settings.training.energy_in_prior && settings.model.posterior_groups > 1)
    throw UsageError("--energy-in-prior does not go with --posterior-groups");
  if (settings.training.energy_in_prior && processes > 1)
    throw UsageError("--energy-in-prior works in one process only: leave out --processes");
  if (settings.training.prior_init != "random" && prior.motions() == 0)
    throw UsageError(fmt::format("--prior-init {} needs a prior with couplings: not --prior {}",
                                 settings.training.prior_init, settings.model.prior.kind));
  if (settings.training.importance_samples == 1) return;
  if (settings.model.likelihood == "correlation")
    throw UsageError("--importance-samples needs a likelihood in nats: leave out --likelihood correlation");
  if (settings.training.energy_in_prior)
    throw UsageError("--importance-samples does not go with --energy-in-prior");
  if (!prior.draws_have_density())
    throw UsageError(
        fmt::format("--importance-samples with bits needs a smoothing with a density: not --smoothing {}",
                    settings.model.prior.smoothing.kind));
}

/// The first process says what was found, and decides for all which way the contrast is.
void look_at_data(Dataset& data, const RunSettings& settings, const RunFolder& folder, bool resume) {
  log::copy_to_file(folder.file("log.txt"));
  for (const auto& note : data.particles.notes) spdlog::info("{}", note);
  if (!resume) decide_contrast(data, settings.input, settings.model.bead_sigma);
}

/// The first process begins the folder of a new run.
void begin_run(const Dataset& data, const RunSettings& settings, const RunFolder& folder, bool resume,
               const std::string& command_line, int processes) {
  if (!resume) {
    remove_results(folder);
    write_config(folder, settings, data.grid, command_line, processes);
  }
  for (const auto& note : data.notes) spdlog::info("{}", note);
  for (const auto& warning : data.warnings) spdlog::warn("warning: {}", warning);
  spdlog::info("{} particles, box {} at {:.3f} A, {} beads, prior {}", data.particles.size(), data.grid.box,
               data.grid.pixel_size, data.beads.size(), settings.model.prior.kind);
  if (processes > 1) spdlog::info("{} processes share every batch", processes);
}

}  // namespace

void RunSettings::declare(OptionSet& set) {
  input.declare(set);
  model.declare(set);
  training.declare(set);
}

void write_config(const RunFolder& folder, const RunSettings& settings, const Grid& grid,
                  const std::string& command_line, int processes) {
  auto copy = settings;
  copy.input.model = absolute(copy.input.model);
  make_absolute(copy.input.map), make_absolute(copy.input.dir), make_absolute(copy.input.subset),
      make_absolute(copy.input.cache);
  OptionSet set;
  copy.declare(set);
  std::string text = set.to_toml();
  text +=
      fmt::format("\n[run]\nversion = {}\ncommand-line = {}\nparticles = {}\nthreads = {}\nprocesses = {}\n",
                  toml_string(kVersion), toml_string(command_line),
                  toml_string(absolute(settings.input.particles)), thread_count(), processes);
  text += fmt::format(
      "box = {}\nmax-shell = {}\npixel-size = {:.10f}\ndiameter = {:.4f}\nsign = {:.1f}\ncentre = [{:.6f}, "
      "{:.6f}, {:.6f}]\n",
      grid.box, grid.max_shell, grid.pixel_size, grid.diameter, grid.sign, grid.centre[0], grid.centre[1],
      grid.centre[2]);
  replace_text_file(folder.file("config.toml"), text);
}

RunConfig read_config(const RunFolder& folder) {
  RunConfig config;
  OptionSet set;
  config.settings.declare(set);
  const auto path = folder.file("config.toml");
  set.read_toml(path);
  const auto table = toml::parse_file(path.string());
  const auto run = table["run"];
  const auto particles = run["particles"].value<std::string>();
  if (!particles) fail("{} has no [run] table: it was not written by cryoscape train", path.string());
  config.settings.input.particles = *particles;
  auto& g = config.grid;
  g.box = run["box"].value_or(0);
  g.max_shell = run["max-shell"].value_or(0);
  g.pixel_size = run["pixel-size"].value_or(0.0);
  g.diameter = run["diameter"].value_or(0.0);
  g.sign = static_cast<float>(run["sign"].value_or(1.0));
  for (std::size_t k = 0; k < 3; ++k) g.centre[k] = run["centre"][k].value_or(0.0);
  return config;
}

Run open_run(const fs::path& path) {
  auto folder = RunFolder::open(path);
  auto config = read_config(folder);
  auto data = open_dataset(config.settings.input, config.grid);
  auto model = std::make_unique<model::HeterogeneityModel>(config.settings.model, data.scene(),
                                                           config.settings.training.seed);
  load_newest_model(folder, *model);
  return {std::move(folder), std::move(config.settings), std::move(data), std::move(model)};
}

void train_run(const RunSettings& given, const fs::path& out, bool resume, bool force,
               const std::string& command_line, ProcessGroup& group) {
  RunSettings settings = given;
  auto device = choose_device(settings.training.device, group.local_rank());  // before anything is written
  check_precision(settings, device);
  std::optional<Grid> grid;
  std::optional<RunFolder> folder;
  if (resume) {
    folder = RunFolder::open(out);
    auto config = read_config(*folder);
    settings = std::move(config.settings);
    // The machine may be another one: a device that was asked for now counts.
    if (given.training.device == "auto") device = choose_device(settings.training.device, group.local_rank());
    grid = config.grid;
    if (given.input.cache) settings.input.cache = given.input.cache;  // another machine, another disk
  } else if (group.first()) {
    folder = RunFolder::create(out, force);
  }
  auto data = open_dataset(settings.input, grid);
  check_processes(group.size(), settings.training.batch, data.particles.size());
  if (group.first()) look_at_data(data, settings, *folder, resume);
  group.broadcast(torch::from_blob(&data.grid.sign, {1}));
  model::HeterogeneityModel model(settings.model, data.scene(), settings.training.seed);
  check_objective(settings, model.prior(), group.size());
  const auto loader = loader_options(data, settings);
  check_memory(memory_need(parameter_count(model), loader, data.particles.size()), loader);
  if (group.first()) begin_run(data, settings, *folder, resume, command_line, group.size());
  group.barrier();
  if (!folder) folder = RunFolder::open(out);
  model.move_to(device);
  if (!device.is_cpu()) spdlog::info("training on {}", device.str());
  structure::RestraintEvaluator restraints(restraints_of(data, settings.training));
  Trainer trainer(model, data.particles, loader, restraints, settings.training, *folder, group);
  trainer.run(resume);
  write_latents(*folder, trainer, data.particles, group);
}

structure::RestraintTopology restraints_of(const Dataset& data, const TrainingOptions& options) {
  structure::RestraintOptions restraints;
  restraints.between_chains = options.between_chains;
  return structure::make_restraints(data.beads, restraints);
}

std::vector<float> decode_latents(model::HeterogeneityModel& model, std::span<const float> latents) {
  torch::NoGradGuard no_grad;
  const auto dim = model.latent_dim(), count = static_cast<std::int64_t>(latents.size()) / dim;
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(count) * model.scene().coordinates.size());
  for (std::int64_t begin = 0; begin < count; begin += kDecodeBatch) {
    const auto rows = std::min(kDecodeBatch, count - begin);
    const auto z = torch::from_blob(const_cast<float*>(latents.data()) + begin * dim, {rows, dim});
    const auto x = model.decode(z).contiguous();
    out.insert(out.end(), x.data_ptr<float>(), x.data_ptr<float>() + x.numel());
  }
  return out;
}

}  // namespace cryoscape::training
