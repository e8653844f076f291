#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cryoscape/util/options.hpp"

namespace cryoscape::cli {

/// A positional argument: one path, or any number of them (at least one, unless it may be absent).
struct Positional {
  std::string name, help;
  std::variant<std::string*, std::vector<std::string>*> target;
  bool required = true;
};

/// Options that every command has.
struct CommonOptions {
  int threads = 0;
  bool json = false, quiet = false, verbose = false;
  std::string command_line;  ///< as typed, for records
};

/// One subcommand. The settings that positionals and options point to live inside `run`'s closure.
struct Command {
  std::string name, summary, example;
  std::vector<Positional> positionals;
  OptionSet options;
  bool prints_json = false;
  std::function<int(const CommonOptions&)> run;
};

/// Ends the program with an exit code and without a word: another process says why.
struct Ended {
  int code;
};

/// The one line that the program prints about an error.
std::string error_line(const std::exception& error);

/// Throws UsageError if an option that a command cannot do without is empty.
void require_given(const std::string& value, const std::string& option);

/// Parses the command line with the given subcommands and runs one. Returns the process's exit code: 0 done,
/// 1 after one line on standard error about a failure, 2 wrong usage, 128 + signal when interrupted.
int run_program(int argc, char** argv, std::vector<std::unique_ptr<Command>> commands);

}  // namespace cryoscape::cli
