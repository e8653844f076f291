#include "cryoscape/cli/commands.hpp"
#include "cryoscape/report/page.hpp"
#include "cryoscape/util/log.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> report_command() {
  auto run_folder = std::make_shared<std::string>();
  auto command = std::make_unique<Command>();
  command->name = "report";
  command->summary = "Write a run's page: RUN/report.html, one file with tables and plots, and RUN/figures/";
  command->example = "cryoscape report run";
  command->positionals = {{"RUN", "folder of a run", run_folder.get()}};
  command->run = [run_folder](const CommonOptions&) {
    report::write_report(*run_folder);
    const std::filesystem::path folder(*run_folder);
    spdlog::info("wrote {} and {}", (folder / "report.html").string(), (folder / "figures").string());
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
