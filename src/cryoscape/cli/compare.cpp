#include <filesystem>
#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/report/comparison_output.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::cli {
namespace {

/// Files separated by commas; a file that has commas in its name can be given alone.
std::vector<std::filesystem::path> split_files(const std::string& text) {
  if (std::filesystem::exists(text)) return {text};
  std::vector<std::filesystem::path> files;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) files.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return files;
}

}  // namespace

std::unique_ptr<Command> compare_command() {
  struct Settings {
    std::vector<std::string> runs;
    std::string truth, models, html;
    bool superpose = false, force = false;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "compare";
  command->summary = "One table of several runs: held-out bounds, states, speed; with truth, their errors";
  command->example = "cryoscape compare run_gaussian run_mixture --truth data/truth.star --models path.pdb";
  command->positionals = {{"RUN", "folders of runs; differences are to the first", &settings->runs}};
  command->options.add("truth", &settings->truth, "truth.star of simulate");
  command->options.add("models", &settings->models,
                       "the models that were simulated (PDB or mmCIF; several files separated by commas)");
  command->options.add("superpose", &settings->superpose, "the models were simulated with --superpose");
  command->options.add("html", &settings->html, "write the tables to this web page too");
  command->options.add("force", &settings->force, "overwrite an existing page");
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    if (!settings->truth.empty()) require_given(settings->models, "models");
    if (!settings->models.empty()) require_given(settings->truth, "truth");
    if (settings->superpose && settings->truth.empty())
      throw UsageError("--superpose needs --truth and --models");
    if (!settings->html.empty() && !settings->force && std::filesystem::exists(settings->html))
      fail("{} exists: choose another --html, or overwrite it with --force", settings->html);
    std::optional<report::TruthData> truth;
    if (!settings->truth.empty()) {
      set_up_torch();
      truth = report::read_truth_data(settings->truth, split_files(settings->models), settings->superpose);
    }
    std::vector<report::RunScores> scores;
    for (const auto& run : settings->runs) scores.push_back(report::score_run(run, truth));
    if (!settings->html.empty()) replace_text_file(settings->html, report::comparison_html(scores));
    std::cout << (common.json ? report::comparison_json(scores).dump(2) + "\n"
                              : report::comparison_text(scores));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
