#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/density/conformation_maps.hpp"
#include "cryoscape/inference/refine.hpp"
#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/report/comparison.hpp"
#include "cryoscape/report/page.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::cli {
namespace fs = std::filesystem;
namespace {

struct DemoSettings {
  std::string out = "demo", size = "small", prior = "mixture";
  int seed = 0;
  bool force = false;
};

struct DemoFiles {
  explicit DemoFiles(const fs::path& folder)
      : folder(folder),
        path(folder / "path.cif"),
        reference(folder / "reference.cif"),
        data(folder / "data"),
        run(folder / "run"),
        result(folder / "demo.json") {}
  fs::path folder, path, reference, data, run, result;
};

/// The path's models and, as reference, the most populated state: what a consensus map would show.
void write_models(const DemoFiles& files, const simulation::DemoProtein& protein) {
  io::ModelSeries series;
  series.atoms = &protein.path.front();
  for (const auto& model : protein.path) series.positions.push_back(io::positions_of(model));
  io::write_models(files.path, series);
  const auto& reference = protein.path[static_cast<std::size_t>(protein.states.front().model - 1)];
  io::write_models(files.reference, {&reference, {io::positions_of(reference)}, {}});
}

simulation::SimulationOptions data_options(const DemoSettings& settings,
                                           const simulation::DemoProtein& protein) {
  simulation::SimulationOptions options;
  std::string populations;
  for (const auto& state : protein.states)
    populations += fmt::format("{}{}:{}", populations.empty() ? "" : ",", state.model, state.population);
  options.populations = populations;
  options.spread = 2.5;
  options.particles = settings.size == "full" ? 20000 : 5000;
  options.box = 64;
  options.pixel_size = 2;
  options.snr = 0.05;
  options.shift = 2;
  options.seed = settings.seed + 1;
  return options;
}

training::RunSettings run_settings(const DemoSettings& settings, const DemoFiles& files) {
  training::RunSettings run;
  run.input.particles = (files.data / "particles.star").string();
  run.input.model = files.reference.string();
  run.model.prior.kind = settings.prior;
  run.training.seed = settings.seed;
  run.training.epochs = settings.size == "full" ? 40 : 30;
  return run;
}

/// The demo's images are clear: one start and two steps take the encoder's latents to their places.
inference::RefineOptions refinement(const DemoSettings& settings) {
  inference::RefineOptions options;
  options.iterations = 2, options.starts = 1;
  options.seed = settings.seed;
  return options;
}

std::string table(const std::vector<report::StateScore>& states, const simulation::DemoProtein& protein) {
  std::string text = fmt::format("{:<14}{:>12}{:>12}{:>10}\n", "state", "true", "recovered", "RMSD/A");
  for (std::size_t k = 0; k < states.size(); ++k)
    text +=
        fmt::format("{:<14}{:>11.1f}%{:>11.1f}%{:>10.2f}\n", protein.states[k].name,
                    100 * states[k].true_population, 100 * states[k].population, states[k].rmsd.value_or(0));
  return text;
}

int run_demo(const DemoSettings& settings, const CommonOptions& common) {
  const auto start = std::chrono::steady_clock::now();
  const DemoFiles files(settings.out);
  if (fs::exists(files.folder) && !fs::is_empty(files.folder) && !fs::exists(files.path) && !settings.force)
    fail("{} holds files that are not a demo: choose another --out, or give --force to write there",
         settings.out);
  const auto protein = simulation::make_demo_protein();
  write_models(files, protein);
  simulation::simulate({files.path}, files.data, data_options(settings, protein), true);
  set_up_torch();
  training::train_run(run_settings(settings, files), files.run, false, true, common.command_line);
  auto run = training::open_run(files.run);
  auto refined = inference::refine_run(run, refinement(settings));
  inference::refit_refined(run, {}, refined);
  landscape::write_landscape(run, {});
  density::write_conformation_maps(run, {}, {}, {}, false, false);
  report::write_report(files.run);
  const auto truth = report::read_truth_data(files.data / "truth.star", {files.path}, false);
  const auto scores = report::score_run(files.run, truth);
  const auto& states = scores.truth->states;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  nlohmann::ordered_json json{{"seconds", seconds}, {"states", nlohmann::ordered_json::array()}};
  for (const auto& s : states)
    json["states"].push_back(
        {{"true_population", s.true_population}, {"population", s.population}, {"rmsd", s.rmsd.value_or(0)}});
  replace_text_file(files.result, json.dump(2) + "\n");
  if (common.json)
    fmt::print("{}\n", json.dump(2));
  else
    fmt::print("\n{}\n{:.0f} s; report: {}\n", table(states, protein), seconds,
               (files.run / "report.html").string());
  return 0;
}

}  // namespace

std::unique_ptr<Command> demo_command() {
  auto settings = std::make_shared<DemoSettings>();
  auto command = std::make_unique<Command>();
  command->name = "demo";
  command->summary = "A built-in protein with known states through the whole program";
  command->example = "cryoscape demo --out demo";
  command->options.add("out", &settings->out, "folder to write into");
  command->options
      .add("size", &settings->size, "small: 5,000 particles, within 5 minutes on 2 cores; full: 20,000")
      .choices = {"small", "full"};
  command->options.add("prior", &settings->prior, "latent prior").choices = latent::prior_kinds();
  auto& seed = command->options.add("seed", &settings->seed, "seed of all random numbers");
  seed.minimum = 0, seed.maximum = 1e9;
  command->options.add("force", &settings->force, "write into a folder that holds other files");
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) { return run_demo(*settings, common); };
  return command;
}

}  // namespace cryoscape::cli
