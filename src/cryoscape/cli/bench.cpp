#include <fmt/format.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/training/benchmark.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> bench_command() {
  auto options = std::make_shared<training::BenchmarkOptions>();
  auto command = std::make_unique<Command>();
  command->name = "bench";
  command->summary = "Measure training steps on this machine, beside a plain libtorch reference";
  command->example = "cryoscape bench --residues 1200 --box 128 --batch 64 --json";
  command->prints_json = true;
  options->declare(command->options);
  command->run = [options](const CommonOptions& common) {
    set_up_torch();
    const auto result = training::run_benchmark(*options);
    fmt::print("{}", common.json ? training::to_json(result).dump(2) + "\n" : training::to_text(result));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
