#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

constexpr int kEpochs = 4;

/// Long enough to be interrupted; a mixture prior, whose own optimiser has a state as well.
std::vector<std::string> arguments(const fs::path& out) {
  return train_arguments(
      small_set().star(), small_set().model(), out,
      {"--epochs", std::to_string(kEpochs), "--batch", "6", "--prior", "mixture", "--components", "3"});
}

Result resume(const fs::path& out, const Settings& settings = {}) {
  return run({"train", small_set().star(), "--out", out, "--resume"}, settings);
}

/// The record of the steps, without what depends on the clock.
std::vector<nlohmann::json> steps(const fs::path& run_folder) {
  std::vector<nlohmann::json> records;
  for (const auto& line : lines(read_text_file(run_folder / "train.jsonl"))) {
    auto record = nlohmann::json::parse(line);
    record.erase("images_per_second");
    records.push_back(std::move(record));
  }
  return records;
}

/// What nobody interrupted.
const fs::path& whole_run() {
  static const fs::path made = [] {
    const auto folder = root() / "whole";
    const auto result = run(arguments(folder));
    if (result.exit_code != 0) throw std::runtime_error("train failed: " + result.err);
    return folder;
  }();
  return made;
}

void expect_same_result(const fs::path& run_folder) {
  for (const char* name : {"latents.npy", "latent_std.npy", "held_out.npy"})
    EXPECT_TRUE(read_text_file(run_folder / name) == read_text_file(whole_run() / name)) << name;
  EXPECT_EQ(steps(run_folder), steps(whole_run()));
}

/// A training that has done its first steps.
Child started(const fs::path& out) {
  Child child(arguments(out));
  EXPECT_TRUE(child.wait_for(out / "train.jsonl"));
  return child;
}

}  // namespace

TEST(Resume, GoesOnAfterSigtermToTheSameResult) {
  whole_run();
  const auto out = test_folder() / "run";
  auto child = started(out);
  child.send(SIGTERM);
  expect_last_line(child.finish(), 143, {"interrupted in epoch", "--resume"});
  EXPECT_FALSE(fs::exists(out / "latents.npy"));
  ASSERT_LT(steps(out).back()["epoch"], kEpochs);

  expect_success(resume(out));
  expect_same_result(out);
}

TEST(Resume, GoesOnAfterSigkillToTheSameResult) {
  whole_run();
  const auto out = test_folder() / "run";
  auto child = started(out);
  child.send(SIGKILL);
  const auto result = child.finish();
  EXPECT_TRUE(result.signalled);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(out / "latents.npy"));
  expect_success(resume(out));
  expect_same_result(out);
}

TEST(Resume, SaysWhatIsMissingOrDamaged) {
  const auto folder = test_folder();
  expect_one_line(resume(folder / "none"), 1, {"none", "not a run"});
  EXPECT_FALSE(fs::exists(folder / "none"));
  const auto out = folder / "run";
  fs::copy(small_run(), out);
  fs::resize_file(out / "checkpoint.pt", fs::file_size(out / "checkpoint.pt") / 2);
  const auto before = snapshot(out);
  expect_last_line(resume(out), 1, {"checkpoint.pt", "damaged"});
  EXPECT_TRUE(snapshot(out) == before);
}

TEST(Resume, WithoutACheckpointStartsFromTheBeginning) {
  const auto out = test_folder() / "run";
  fs::copy(small_run(), out);
  fs::remove(out / "checkpoint.pt");
  const auto result = resume(out);
  expect_success(result);
  EXPECT_NE(result.err.find("from the beginning"), std::string::npos) << result.err;
  EXPECT_TRUE(read_text_file(out / "latents.npy") == read_text_file(small_run() / "latents.npy"));
}

TEST(Resume, OfAFinishedRunChangesNothing) {
  const auto out = test_folder() / "run";
  fs::copy(small_run(), out);
  expect_success(resume(out));
  for (const char* name : {"latents.npy", "latent_std.npy", "config.toml", "train.jsonl"})
    EXPECT_TRUE(read_text_file(out / name) == read_text_file(small_run() / name)) << name;
}

TEST(Resume, OnAFullDiskKeepsTheCheckpoint) {
  whole_run();
  const auto out = test_folder() / "run";
  auto child = started(out);
  child.send(SIGKILL);
  child.finish();
  const auto checkpoint = read_text_file(out / "checkpoint.pt");
  Settings full;
  full.file_size_limit = 100000;
  expect_last_line(resume(out, full), 1, {"cannot write", "checkpoint.pt"});
  EXPECT_TRUE(read_text_file(out / "checkpoint.pt") == checkpoint);
  expect_success(resume(out));
  expect_same_result(out);
}

TEST(Training, IsTheSameForASeed) {
  const auto out = test_folder() / "run";
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out)));
  EXPECT_TRUE(read_text_file(out / "latents.npy") == read_text_file(small_run() / "latents.npy"));
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out, {"--seed", "5"})));
  EXPECT_FALSE(read_text_file(out / "latents.npy") == read_text_file(small_run() / "latents.npy"));
}
