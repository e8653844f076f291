#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cryoscape {

/// One option of a command: its name on the command line ("--box", also the key "box" in TOML files), where
/// its value lives, and its help. A default is the value found in the field when the option is declared.
struct Option {
  using Target = std::variant<bool*, int*, double*, std::string*, std::vector<double>*, std::optional<int>*,
                              std::optional<double>*, std::optional<std::string>*>;
  std::string name;  ///< without dashes
  Target target;
  std::string help;
  std::vector<std::string> choices;        ///< allowed values of a string; empty: any
  std::optional<double> minimum, maximum;  ///< bounds of a number, inclusive
  bool given = false;                      ///< set on the command line or by the configuration file
};

/// The options of one command. Declared once, by each settings struct's `declare(OptionSet&)`; this one
/// declaration serves the command line, `--config` files, a run's config.toml and the documentation.
class OptionSet {
 public:
  /// Declares an option bound to `target`. Returns it for choices or bounds.
  Option& add(std::string name, Option::Target target, std::string help);

  std::vector<Option>& options() { return options_; }
  const std::vector<Option>& options() const { return options_; }
  Option* find(const std::string& name);

  /// Throws UsageError if a value is outside its choices or bounds.
  void validate() const;

  /// Sets options from a TOML file's top-level keys ("latent-dim = 8"), except those in which `given` is
  /// already true (the command line wins). Tables are skipped. Throws UsageError for an unknown key or a
  /// value of the wrong type, naming file and line.
  void read_toml(const std::filesystem::path& file);

  /// All options with their values as TOML lines, each with its help as a comment.
  std::string to_toml() const;

 private:
  std::vector<Option> options_;
};

}  // namespace cryoscape
