#pragma once
#include <memory>
#include <vector>

#include "cryoscape/cli/command.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> demo_command();
std::unique_ptr<Command> simulate_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> run_command();
std::unique_ptr<Command> train_command();
std::unique_ptr<Command> refine_command();
std::unique_ptr<Command> density_command();
std::unique_ptr<Command> landscape_command();
std::unique_ptr<Command> sample_command();
std::unique_ptr<Command> decode_command();
std::unique_ptr<Command> export_command();
std::unique_ptr<Command> report_command();
std::unique_ptr<Command> compare_command();
std::unique_ptr<Command> prior_fit_command();
std::unique_ptr<Command> ising_command();
std::unique_ptr<Command> bench_command();

/// Every subcommand, in the order of `--help`.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace cryoscape::cli
