#pragma once
#include <cstddef>
#include <string>

namespace cryoscape {

/// A command that the shell runs, as a filter of text.
struct ShellCommand {
  std::string name;                                ///< what errors call it
  std::string command;                             ///< for /bin/sh -c
  double time_limit = 600;                         ///< seconds
  std::size_t most_output = std::size_t{1} << 30;  ///< bytes
  std::string time_limit_note = {};                ///< what errors add when it took longer
};

/// Gives the command `input` on its standard input and returns its standard output. The command runs in a
/// process group of its own, of which nothing is left when this returns or throws. Throws Error if it cannot
/// be started, exits with another code than 0 (the message ends with the last line of its standard error),
/// takes longer than its time limit or prints more than `most_output`; Interrupted when a signal asks this
/// program to end.
std::string run_shell_command(const ShellCommand& command, const std::string& input);

}  // namespace cryoscape
