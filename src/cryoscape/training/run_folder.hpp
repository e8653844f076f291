#pragma once
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace cryoscape::training {

/// Paths and records of a run's folder.
class RunFolder {
 public:
  /// A folder to write a run into. Throws Error if it holds files, more than a log, but no run of this
  /// program, unless `force`.
  static RunFolder create(const std::filesystem::path& path, bool force);
  /// A folder that must hold a run. Throws Error if it has no config.toml.
  static RunFolder open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }

  /// Appends one line to train.jsonl.
  void append_step(const nlohmann::json& record) const;
  /// Removes the lines of train.jsonl with a step beyond `last_step`, so that a resumed run continues its
  /// record.
  void truncate_steps(long last_step) const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace cryoscape::training
