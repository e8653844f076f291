#include <gtest/gtest.h>

#include <csignal>
#include <functional>
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

namespace {

/// A training on a set of its own that has done its first steps, while `damage` is done to the set's stack.
void expect_stop_and_resume(const std::function<void(const SmallSet&)>& damage,
                            std::initializer_list<std::string> message) {
  whole_run();
  const auto set = copy_of_small_set(test_folder() / "set");
  const auto out = set.folder / "run";
  auto options = arguments(out);
  options[1] = set.star(), options[3] = set.model();
  Child child(options);
  EXPECT_TRUE(child.wait_for(out / "train.jsonl"));
  damage(set);
  expect_last_line(child.finish(), 1, message);
  EXPECT_FALSE(fs::exists(out / "latents.npy"));
  fs::copy(small_set().stack(), set.stack(), fs::copy_options::overwrite_existing);
  expect_success(run({"train", set.star(), "--out", out, "--resume"}));
  expect_same_result(out);
}

}  // namespace

TEST(Resume, GoesOnAfterTheStackWasTruncated) {
  expect_stop_and_resume([](const SmallSet& set) { fs::resize_file(set.stack(), 3000); },
                         {"particles.mrcs", "truncated", "3000", "--resume"});
}

TEST(Resume, GoesOnAfterTheStackWasReplaced) {
  expect_stop_and_resume(
      [](const SmallSet& set) {
        fs::copy(set.stack(), set.folder / "other.mrcs");
        fs::rename(set.folder / "other.mrcs", set.stack());
      },
      {"particles.mrcs", "changed or replaced", "--resume"});
}

TEST(Training, SaysWhenTheMemoryIsTooSmall) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory does not fit into the limit";
#endif
  const auto set = copy_of_small_set(test_folder() / "set");
  const auto out = set.folder / "run";
  fs::copy(small_run(), out);
  const auto before = snapshot(out);
  // Batches take 8.5 kB for every particle: what is read ahead is all of them.
  const auto train = [&](std::size_t particles) {
    edit_star(set.star(), [&](Tables& tables) {
      auto& rows = tables.at(1).rows;
      for (std::size_t i = rows.size(); i < particles; ++i) rows.push_back(rows[i % kParticles]);
      rows.resize(particles);
    });
    Settings settings;
    settings.data_limit = 1500000000;
    return run(train_arguments(set.star(), set.model(), out, {"--batch", "65536", "--threads", "2"}),
               settings);
  };
  expect_last_line(train(200000), 1,
                   {"training needs more than", "ulimit allows 1.5 GB", "--batch (now 65536)"});
  EXPECT_TRUE(snapshot(out) == before);
  expect_last_line(train(150000), 1, {"out of memory", "--batch", "--box", "--threads"});
}

TEST(Cache, ChangesNoResultAndLeavesNothing) {
  const auto folder = test_folder(), out = folder / "run", cache = folder / "cache";
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out, {"--cache", cache})));
  EXPECT_TRUE(fs::is_empty(cache));
  for (const char* name : {"latents.npy", "latent_std.npy", "held_out.npy"})
    EXPECT_TRUE(read_text_file(out / name) == read_text_file(small_run() / name)) << name;
  EXPECT_NE(read_text_file(out / "config.toml").find(cache), std::string::npos);

  const auto killed = folder / "killed";
  auto options = arguments(killed);
  options.insert(options.end(), {"--cache", cache});
  Child child(options);
  EXPECT_TRUE(child.wait_for(killed / "train.jsonl"));
  EXPECT_TRUE(fs::is_empty(cache));  // its file has no name
  child.send(SIGKILL);
  child.finish();
  EXPECT_TRUE(fs::is_empty(cache));
  whole_run();
  expect_success(
      run({"train", small_set().star(), "--out", killed, "--resume", "--cache", folder / "other"}));
  EXPECT_TRUE(fs::is_empty(folder / "other"));
  expect_same_result(killed);
}

TEST(Cache, FolderThatCannotBeUsedIsSaid) {
  const auto before = snapshot(small_run());
  expect_last_line(run(train_arguments(small_set().star(), small_set().model(), small_run(),
                                       {"--cache", small_set().model()})),
                   1, {"--cache " + small_set().model()});
  EXPECT_TRUE(snapshot(small_run()) == before);
}

TEST(Training, IsTheSameForASeed) {
  const auto out = test_folder() / "run";
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out)));
  EXPECT_TRUE(read_text_file(out / "latents.npy") == read_text_file(small_run() / "latents.npy"));
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out, {"--seed", "5"})));
  EXPECT_FALSE(read_text_file(out / "latents.npy") == read_text_file(small_run() / "latents.npy"));
}
