#include <gtest/gtest.h>

#include <csignal>

#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> simulate_arguments(const fs::path& out, std::vector<std::string> more = {},
                                            int particles = 40) {
  std::vector<std::string> arguments{
      "simulate", small_set().model(), "--out", out, "--particles", std::to_string(particles), "--box",
      "24",       "--pixel-size",      "3"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Settings full_disk(std::uint64_t bytes) {
  Settings settings;
  settings.file_size_limit = bytes;
  return settings;
}

}  // namespace

TEST(ExistingOutput, IsKeptUnlessForced) {
  const auto out = test_folder() / "set";
  expect_success(run(simulate_arguments(out)));
  const auto before = snapshot(out);
  EXPECT_EQ(before.size(), 3u);
  expect_one_line(run(simulate_arguments(out, {"--seed", "2"})), 1, {"particles.mrcs", "exists", "--force"});
  EXPECT_TRUE(snapshot(out) == before);
  expect_success(run(simulate_arguments(out, {"--seed", "2", "--force"})));
  const auto after = snapshot(out);
  EXPECT_EQ(after.size(), 3u);
  EXPECT_TRUE(after.at("particles.mrcs") != before.at("particles.mrcs"));
}

TEST(ExistingOutput, ForeignFilesAreNotTrainedInto) {
  const auto folder = test_folder();
  replace_text_file(folder / "out/thesis.txt", "years of work");
  const auto arguments = train_arguments(small_set().star(), small_set().model(), folder / "out");
  expect_one_line(run(arguments), 1, {"out", "holds files that are not a run", "--force"});
  EXPECT_EQ(snapshot(folder / "out").size(), 1u);
  auto forced = arguments;
  forced.push_back("--force");
  expect_success(run(forced));
  EXPECT_EQ(read_text_file(folder / "out/thesis.txt"), "years of work");
  EXPECT_TRUE(fs::exists(folder / "out/latents.npy"));
  expect_one_line(run(train_arguments(small_set().star(), small_set().model(), folder / "out/thesis.txt")), 1,
                  {"thesis.txt", "not a folder"});
  EXPECT_EQ(read_text_file(folder / "out/thesis.txt"), "years of work");
}

TEST(FullDisk, SimulateLeavesNothingHalfWritten) {
  const auto out = test_folder() / "set";
  const auto small = full_disk(50000);  // the stack takes 93 kB
  expect_one_line(run(simulate_arguments(out, {"--quiet"}), small), 1, {"particles.mrcs", "File too large"});
  EXPECT_TRUE(snapshot(out).empty());
  expect_success(run(simulate_arguments(out)));
  const auto before = snapshot(out);
  expect_one_line(run(simulate_arguments(out, {"--quiet", "--force", "--seed", "2"}), small), 1,
                  {"particles.mrcs"});
  EXPECT_TRUE(snapshot(out) == before);
}

TEST(FullDisk, TrainSaysWhichFileAndLeavesNoPart) {
  const auto out = test_folder() / "run";
  const auto result = run(train_arguments(small_set().star(), small_set().model(), out), full_disk(1000000));
  expect_last_line(result, 1, {"cannot write", "checkpoint.pt"});
  for (const auto& [name, text] : snapshot(out))
    EXPECT_TRUE(name == "config.toml" || name == "train.jsonl") << name;
}

TEST(Interrupted, SimulateLeavesNothingHalfWritten) {
  const auto out = test_folder() / "set";
  Child child(simulate_arguments(out, {"--quiet"}, 200000));
  ASSERT_TRUE(child.wait_for(out, "particles.mrcs"));
  child.send(SIGTERM);
  const auto result = child.finish();
  expect_one_line(result, 143, {"interrupted"});
  EXPECT_TRUE(snapshot(out).empty());
}
