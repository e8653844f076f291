#include "cryoscape/landscape/model_files.hpp"

#include <fmt/format.h>

#include <regex>

#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

constexpr int kFramesPerSegment = 20;

/// A folder of the run and the names that a landscape may have given to files in it.
struct OwnNames {
  const char *folder, *pattern;
};
constexpr OwnNames kOwnNames[] = {{"structures", R"((states|pc\d+|path_\d+_\d+)\.cxc|reference\.(cif|pdb))"},
                                  {"structures/states", R"(state_\d+(_allatom)?\.(cif|pdb))"},
                                  {"structures/pca", R"(pc\d+\.(cif|pdb))"},
                                  {"structures/paths", R"(path_\d+_\d+\.(cif|pdb))"}};

}  // namespace

std::vector<float> placed(std::vector<float> positions, const geometry::Vec3& centre) {
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] += static_cast<float>(centre[i % 3]);
  return positions;
}

ModelFiles::ModelFiles(fs::path run, const std::string& format) : run_(std::move(run)) {
  if (format != "pdb") extensions_.emplace_back(".cif");
  if (format != "cif") extensions_.emplace_back(".pdb");
}

std::string ModelFiles::write(const std::string& stem, const io::ModelSeries& series) {
  for (const auto& extension : extensions_) {
    io::write_models(run_ / (stem + extension), series);
    written_.insert(stem + extension);
  }
  return stem + extensions_.front();
}

void ModelFiles::write_script(const std::string& name, const std::vector<std::string>& models,
                              std::size_t count) {
  // ChimeraX runs a script in the script's folder.
  std::string text = "# ChimeraX: open this file\n";
  for (const auto& model : models)
    text += "open " + fs::path(model).lexically_relative("structures").generic_string() + "\n";
  const auto all = models.size() > 1 ? fmt::format("#1-{}", models.size()) : fmt::format("#1.1-{}", count);
  if (count > 1) text += fmt::format("morph {} same true frames {}\n", all, kFramesPerSegment);
  text += "view\n";
  const auto file = "structures/" + name + ".cxc";
  replace_text_file(run_ / file, text);
  written_.insert(file);
}

void ModelFiles::remove_stale() const {
  for (const auto& own : kOwnNames) {
    const std::regex pattern(own.pattern);
    if (!fs::is_directory(run_ / own.folder)) continue;
    std::vector<fs::path> stale;
    for (const auto& entry : fs::directory_iterator(run_ / own.folder)) {
      const auto name = entry.path().filename().string();
      if (std::regex_match(name, pattern) && !written_.contains(std::string(own.folder) + "/" + name))
        stale.push_back(entry.path());
    }
    for (const auto& path : stale) fs::remove(path);
  }
}

}  // namespace cryoscape::landscape
