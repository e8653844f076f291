#include "cryoscape/training/run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <toml++/toml.h>

#include <numeric>
#include <sstream>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/device.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/log.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/version.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kDecodeBatch = 256;

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

structure::RestraintEvaluator make_evaluator(const Dataset& data, const TrainingOptions& options) {
  structure::RestraintOptions restraints;
  restraints.between_chains = options.between_chains;
  auto centred = data.beads;
  return structure::RestraintEvaluator(structure::make_restraints(centred, restraints));
}

void write_latents(const RunFolder& folder, Trainer& trainer, const particles::ParticleSet& set) {
  std::vector<std::uint32_t> all(set.size());
  std::iota(all.begin(), all.end(), 0u);
  const auto latents = trainer.encode(all);
  const std::vector<std::size_t> shape{all.size(), static_cast<std::size_t>(latents.dim)};
  io::write_npy(folder.file("latents.npy"), shape, latents.mean);
  io::write_npy(folder.file("latent_std.npy"), shape, latents.standard_deviation);
  const auto held_out = trainer.held_out_bound();
  std::vector<float> table;
  for (std::size_t i = 0; i < held_out.bound.size(); ++i) {
    table.push_back(static_cast<float>(set.rows[held_out.indices[i]]));
    table.push_back(held_out.bound[i]);
  }
  io::write_npy(folder.file("held_out.npy"), {held_out.bound.size(), 2}, table);
}

/// What an earlier run in the folder found: it must not be taken for this one's.
void remove_results(const RunFolder& folder) {
  for (const char* name :
       {"checkpoint.pt", "train.jsonl", "latents.npy", "latent_std.npy", "held_out.npy", "states.json",
        "landscape.json", "components.npy", "assignments.npy", "particles.star", "report.html"})
    fs::remove(folder.file(name));
}

}  // namespace

void RunSettings::declare(OptionSet& set) {
  input.declare(set);
  model.declare(set);
  training.declare(set);
}

void write_config(const RunFolder& folder, const RunSettings& settings, const Grid& grid,
                  const std::string& command_line) {
  auto copy = settings;
  copy.input.model = absolute(copy.input.model);
  make_absolute(copy.input.map), make_absolute(copy.input.dir), make_absolute(copy.input.subset);
  OptionSet set;
  copy.declare(set);
  std::string text = set.to_toml();
  text += fmt::format("\n[run]\nversion = {}\ncommand-line = {}\nparticles = {}\nthreads = {}\n",
                      toml_string(kVersion), toml_string(command_line),
                      toml_string(absolute(settings.input.particles)), thread_count());
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
  load_model_file(folder.file("checkpoint.pt"), *model);
  return {std::move(folder), std::move(config.settings), std::move(data), std::move(model)};
}

void train_run(const RunSettings& given, const fs::path& out, bool resume, bool force,
               const std::string& command_line) {
  RunSettings settings = given;
  auto device = choose_device(settings.training.device);  // before anything is written
  std::optional<Grid> grid;
  auto folder = resume ? RunFolder::open(out) : RunFolder::create(out, force);
  if (resume) {
    auto config = read_config(folder);
    settings = std::move(config.settings);
    // The machine may be another one: a device that was asked for now counts.
    if (given.training.device == "auto") device = choose_device(settings.training.device);
    grid = config.grid;
  }
  auto data = open_dataset(settings.input, grid);
  log::copy_to_file(folder.file("log.txt"));
  for (const auto& note : data.particles.notes) spdlog::info("{}", note);
  if (!resume) {
    decide_contrast(data, settings.input, settings.model.bead_sigma);
    remove_results(folder);
    write_config(folder, settings, data.grid, command_line);
  }
  for (const auto& note : data.notes) spdlog::info("{}", note);
  for (const auto& warning : data.warnings) spdlog::warn("warning: {}", warning);
  spdlog::info("{} particles, box {} at {:.3f} A, {} beads, prior {}", data.particles.size(), data.grid.box,
               data.grid.pixel_size, data.beads.size(), settings.model.prior.kind);
  model::HeterogeneityModel model(settings.model, data.scene(), settings.training.seed);
  model.move_to(device);
  if (!device.is_cpu()) spdlog::info("training on {}", device.str());
  auto restraints = make_evaluator(data, settings.training);
  const auto loader = data.loader_options(settings.training.batch, settings.model.encoder_input == "image",
                                          settings.model.ctf_box == "wide");
  Trainer trainer(model, data.particles, loader, restraints, settings.training, folder);
  trainer.run(resume);
  write_latents(folder, trainer, data.particles);
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
