#include "cryoscape/cli/command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <new>
#include <string_view>
#include <system_error>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/log.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/version.hpp"

namespace cryoscape::cli {
namespace {

std::string full_help(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty()) text += fmt::format(" ({})", fmt::join(option.choices, " | "));
  return text;
}

/// "--box"; a name of one letter may have one dash: "-n,--n".
std::string flags_of(const Option& option) {
  return (option.name.size() == 1 ? "-" + option.name + "," : "") + "--" + option.name;
}

template <class T>
CLI::Option* add_to(CLI::App& app, const std::string& name, T* target, const std::string& help) {
  if constexpr (std::is_same_v<T, bool>)
    return app.add_flag(name, *target, help);
  else if constexpr (std::is_same_v<T, std::vector<double>>)
    return app.add_option(name, *target, help)->delimiter(',')->capture_default_str();
  else
    return app.add_option(name, *target, help)->capture_default_str();
}

/// A subcommand in CLI11, and the CLI11 option of each declared option.
struct Bound {
  Command* command;
  CLI::App* app;
  std::vector<CLI::Option*> options;
};

Bound bind_command(CLI::App& program, Command& command, CommonOptions& common, std::string& config) {
  auto* app = program.add_subcommand(command.name, command.summary);
  app->footer("Example:\n  " + command.example);
  for (auto& positional : command.positionals)
    std::visit(
        [&](auto* target) {
          app->add_option(positional.name, *target, positional.help)->required(positional.required);
        },
        positional.target);
  auto& threads =
      command.options.add("threads", &common.threads, "threads (0: all that this process may use)");
  threads.minimum = 0, threads.maximum = 4096;
  if (command.prints_json) command.options.add("json", &common.json, "print the result as JSON");
  command.options.add("quiet", &common.quiet, "warnings and errors only");
  command.options.add("verbose", &common.verbose, "more detail");
  Bound bound{&command, app, {}};
  for (auto& option : command.options.options())
    bound.options.push_back(
        std::visit([&](auto* target) { return add_to(*app, flags_of(option), target, full_help(option)); },
                   option.target));
  app->add_option("--config", config,
                  "TOML file with values for any of these options (the command line wins)");
  return bound;
}

int execute(Bound& bound, const CommonOptions& common, const std::string& config) {
  auto& declared = bound.command->options.options();
  for (std::size_t i = 0; i < declared.size(); ++i) declared[i].given = bound.options[i]->count() > 0;
  if (!config.empty()) bound.command->options.read_toml(config);
  bound.command->options.validate();
  log::initialise(common.quiet     ? log::Level::quiet
                  : common.verbose ? log::Level::verbose
                                   : log::Level::normal);
  if (common.threads > 0) set_thread_count(common.threads);
  install_interrupt_handlers();
  const int code = bound.command->run(common);
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0) fail("cannot write to standard output: is the disk full?");
  return code;
}

bool is_command(const std::vector<Bound>& bound, const std::string& name) {
  return std::any_of(bound.begin(), bound.end(), [&](const Bound& b) { return b.command->name == name; });
}

/// What libtorch throws in place of std::bad_alloc tells only by its text.
bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error)) return false;
  const std::string_view text = error.what();
  return dynamic_cast<const std::bad_alloc*>(&error) ||
         text.find("DefaultCPUAllocator") != std::string_view::npos ||
         text.find("out of memory") != std::string_view::npos;
}

int one_line(const std::string& message, int code) {
  std::cerr << "cryoscape: " << message.substr(0, message.find('\n')) << "\n";
  return code;
}

}  // namespace

std::string error_line(const std::exception& error) {
  if (is_out_of_memory(error))
    return "out of memory: use a smaller --batch or --box, or fewer --threads (a run that has begun goes on "
           "with --resume)";
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  if (system && system->code() == std::errc::resource_unavailable_try_again)
    return "no further thread can be started: use fewer --threads, or raise the limits on memory and "
           "processes (ulimit -v, -u)";
  const std::string message = error.what();
  return message.substr(0, message.find('\n'));
}

void require_given(const std::string& value, const std::string& option) {
  if (value.empty()) throw UsageError(fmt::format("--{} is missing", option));
}

int run_program(int argc, char** argv, std::vector<std::unique_ptr<Command>> commands) {
  CLI::App program("Conformations, densities and energy landscapes from single-particle cryo-EM images",
                   "cryoscape");
  program.set_version_flag("--version", std::string("cryoscape ") + kVersion);
  program.require_subcommand(1);
  CommonOptions common;
  std::string config;
  for (int i = 0; i < argc; ++i)
    common.command_line += (i ? " " : "") + std::string(i ? argv[i] : "cryoscape");
  std::vector<Bound> bound;
  for (auto& command : commands) bound.push_back(bind_command(program, *command, common, config));
  if (argc > 1 && argv[1][0] != '-' && !is_command(bound, argv[1]))
    return one_line(fmt::format("there is no command '{}' (see cryoscape --help)", argv[1]), 2);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return program.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return program.exit(e);
  } catch (const CLI::ParseError& e) {
    return one_line(fmt::format("{} (see cryoscape --help)", e.what()), 2);
  }
  try {
    for (auto& b : bound)
      if (b.app->parsed()) return execute(b, common, config);
    return 2;
  } catch (const UsageError& e) {
    return one_line(e.what(), 2);
  } catch (const Interrupted& e) {
    return one_line(e.what(), 128 + e.signal);
  } catch (const Ended& e) {
    return e.code;
  } catch (const std::exception& e) {
    return one_line(error_line(e), 1);
  }
}

}  // namespace cryoscape::cli
