#include "cryoscape/cli/commands.hpp"

int main(int argc, char** argv) {
  return cryoscape::cli::run_program(argc, argv, cryoscape::cli::all_commands());
}
