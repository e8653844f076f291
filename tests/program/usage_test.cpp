#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

/// The subcommands that `--help` lists.
std::vector<std::string> subcommands() {
  std::vector<std::string> names;
  bool listed = false;
  for (const auto& line : lines(run({"--help"}).out)) {
    if (listed && line.starts_with("  ") && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    listed = listed || line == "Subcommands:";
  }
  return names;
}

}  // namespace

TEST(Help, OfTheProgramListsItsCommands) {
  const auto result = run({"--help"});
  expect_success(result);
  EXPECT_EQ(result.err, "");
  const auto names = subcommands();
  for (const char* name : {"demo", "simulate", "inspect", "run", "train", "refine", "density", "landscape",
                           "sample", "decode", "export", "report", "compare", "ising", "bench"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

TEST(Help, OfEveryCommandHasAnExampleAndTheCommonOptions) {
  const auto names = subcommands();
  ASSERT_FALSE(names.empty());
  std::vector<Child> children;
  for (const auto& name : names) children.emplace_back(std::vector<std::string>{name, "--help"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto result = children[i].finish();
    expect_success(result);
    EXPECT_EQ(result.err, "");
    const auto example = result.out.find("Example:\n  cryoscape " + names[i]);
    EXPECT_NE(example, std::string::npos) << result.out;
    for (const char* option : {"--config", "--threads", "--quiet", "--verbose"})
      EXPECT_NE(result.out.find(option), std::string::npos) << names[i] << " has no " << option;
  }
}

TEST(Version, IsPrinted) {
  const auto result = run({"--version"});
  expect_success(result);
  EXPECT_TRUE(result.out.starts_with("cryoscape ")) << result.out;
  EXPECT_EQ(lines(result.out).size(), 1u);
}

TEST(WrongUsage, IsOneLineAndExitCode2) {
  expect_one_line(run({}), 2, {"subcommand"});
  expect_one_line(run({"trian", "p.star"}), 2, {"cryoscape --help"});
  expect_one_line(run({"train"}), 2, {"PARTICLES"});
  expect_one_line(run({"train", "p.star", "--model", "m.pdb"}), 2, {"--out"});
  expect_one_line(run({"train", "p.star", "--out", test_folder() / "run"}), 2, {"--model"});
  expect_one_line(run({"train", "p.star", "--model", "m.pdb", "--out", "r", "--epoch", "3"}), 2, {"--epoch"});
  expect_one_line(run({"simulate", "m.pdb", "--out"}), 2, {"--out"});
}

TEST(WrongUsage, ValuesOfTheWrongTypeOrOutOfRange) {
  const auto train = [](const std::string& option, const std::string& value) {
    return run({"train", "p.star", "--model", "m.pdb", "--out", "r", option, value});
  };
  expect_one_line(train("--epochs", "many"), 2, {"--epochs", "many"});
  expect_one_line(train("--batch", "0"), 2, {"--batch", "at least 1"});
  expect_one_line(train("--half", "3"), 2, {"--half", "at most 2"});
  expect_one_line(train("--prior", "cauchy"), 2, {"--prior", "cauchy", "gaussian, mixture"});
  expect_one_line(train("--threads", "-1"), 2, {"--threads"});
  expect_one_line(train("--device", "gpu"), 2, {"--device", "gpu", "cpu, cuda, cuda:K or auto"});
  expect_one_line(run({"simulate", "m.pdb", "--out", "s", "--snr", "0"}), 2, {"--snr"});
}

TEST(WrongUsage, WritesNothing) {
  const auto folder = test_folder();
  Settings settings;
  settings.working_folder = folder;
  expect_one_line(run({"simulate", "m.pdb", "--out", "s", "--box", "4"}, settings), 2, {"--box"});
  expect_one_line(run({"train", "p.star", "--model", "m.pdb", "--out", "r", "--batch", "0"}, settings), 2,
                  {});
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(Device, OneThatIsNotThereIsSaidBeforeAnythingIsWritten) {
  const auto folder = test_folder();
  Settings settings;
  settings.working_folder = folder;
  // Without CUDA in the build: what to do about it. With it, no machine has this many GPUs.
  for (const char* command : {"train", "run"})
    expect_one_line(
        run({command, "p.star", "--model", "m.pdb", "--out", "r", "--device", "cuda:120"}, settings), 1,
        {"CUDA"});
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(Config, GivesOptionsThatTheCommandLineMayOverride) {
  const auto folder = test_folder();
  replace_text_file(folder / "c.toml",
                    "# small\nparticles = 5\nbox = 16\ndefocus = [1.5, 1.6]\nnoise = \"coloured\"\n");
  expect_success(run({"simulate", small_set().model(), "--config", folder / "c.toml", "--box", "20",
                      "--pixel-size", "3", "--out", folder / "set"}));
  const auto tables = io::read_star_tables(folder / "set/particles.star");
  const auto& [optics, groups] = tables.at(0);
  const auto& [table, rows] = tables.at(1);
  EXPECT_EQ(rows.size(), 5u);
  EXPECT_EQ(groups[0][optics.column("rlnImageSize")], "20");
  for (const auto& row : rows) {
    const double defocus = std::stod(row[table.column("rlnDefocusU")]);
    EXPECT_GE(defocus, 15000 - 200);
    EXPECT_LE(defocus, 16000 + 200);
  }
}

TEST(Config, ErrorsNameFileAndLine) {
  const auto folder = test_folder();
  const auto with = [&](const std::string& text) {
    replace_text_file(folder / "c.toml", text);
    return run({"simulate", "m.pdb", "--out", folder / "set", "--config", folder / "c.toml"});
  };
  expect_one_line(with("particles = 5\n\nboxx = 16\n"), 2, {"c.toml:3", "boxx"});
  expect_one_line(with("particles = \"five\"\n"), 2, {"c.toml:1", "particles"});
  expect_one_line(with("particles = 5\nbox = \n"), 2, {"c.toml:2"});
  expect_one_line(with("box = 4\n"), 2, {"--box"});
  expect_one_line(run({"simulate", "m.pdb", "--out", folder / "set", "--config", folder / "none.toml"}), 2,
                  {"none.toml"});
  EXPECT_FALSE(fs::exists(folder / "set"));
}
