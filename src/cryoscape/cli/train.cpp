#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/train_arguments.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> train_command() {
  auto arguments = std::make_shared<TrainArguments>();
  auto command = std::make_unique<Command>();
  command->name = "train";
  command->summary = "Train the heterogeneity model: latents and a decoder of conformations";
  command->example = "cryoscape train particles.star --model reference.cif --out run --prior mixture";
  arguments->declare(*command);
  command->run = [arguments](const CommonOptions& common) {
    arguments->train(common);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
