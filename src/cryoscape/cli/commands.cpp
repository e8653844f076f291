#include "cryoscape/cli/commands.hpp"

namespace cryoscape::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(demo_command());
  commands.push_back(simulate_command());
  commands.push_back(inspect_command());
  commands.push_back(run_command());
  commands.push_back(train_command());
  commands.push_back(refine_command());
  commands.push_back(density_command());
  commands.push_back(landscape_command());
  commands.push_back(sample_command());
  commands.push_back(decode_command());
  commands.push_back(export_command());
  commands.push_back(report_command());
  commands.push_back(compare_command());
  commands.push_back(prior_fit_command());
  commands.push_back(ising_command());
  commands.push_back(bench_command());
  return commands;
}

}  // namespace cryoscape::cli
