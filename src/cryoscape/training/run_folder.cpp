#include "cryoscape/training/run_folder.hpp"

#include <fstream>
#include <sstream>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;

namespace {

/// A log alone is what a run leaves that was refused before it began.
bool holds_only_a_log(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "log.txt") return false;
  return true;
}

}  // namespace

RunFolder RunFolder::create(const fs::path& path, bool force) {
  std::error_code code;
  if (fs::exists(path) && !fs::is_directory(path))
    fail("{} is not a folder: choose another --out", path.string());
  if (fs::is_directory(path) && !fs::exists(path / "config.toml") && !force && !holds_only_a_log(path))
    fail("{} holds files that are not a run: choose another --out, or give --force to write there",
         path.string());
  fs::create_directories(path, code);
  if (code) fail("cannot create the folder {}: {}", path.string(), code.message());
  return RunFolder(path);
}

RunFolder RunFolder::open(const fs::path& path) {
  if (!fs::exists(path / "config.toml"))
    fail("{} is not a run: it has no config.toml (make one with cryoscape train)", path.string());
  return RunFolder(path);
}

void RunFolder::append_step(const nlohmann::json& record) const {
  std::ofstream stream(file("train.jsonl"), std::ios::app);
  stream << record.dump() << '\n';
  stream.flush();
  if (!stream) fail("cannot write {}: is the disk full?", file("train.jsonl").string());
}

void RunFolder::truncate_steps(long last_step) const {
  if (!fs::exists(file("train.jsonl"))) return;
  std::istringstream lines(read_text_file(file("train.jsonl")));
  std::string kept, line;
  while (std::getline(lines, line)) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_discarded() && record.value("step", 0L) <= last_step) kept += line + '\n';
  }
  replace_text_file(file("train.jsonl"), kept);
}

}  // namespace cryoscape::training
