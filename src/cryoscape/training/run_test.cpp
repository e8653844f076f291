#include "cryoscape/training/run.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <mutex>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/test_data_set.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/test_names.hpp"

using namespace cryoscape;
using namespace cryoscape::training;
namespace fs = std::filesystem;

namespace {

std::vector<nlohmann::json> records(const fs::path& run) {
  std::vector<nlohmann::json> out;
  std::ifstream stream(run / "train.jsonl");
  for (std::string line; std::getline(stream, line);) {
    auto record = nlohmann::json::parse(line);
    record.erase("images_per_second");  // the one thing that time decides
    out.push_back(std::move(record));
  }
  return out;
}

/// Everything that two runs must share bit for bit.
void expect_same_run(const fs::path& a, const fs::path& b) {
  EXPECT_EQ(records(a), records(b));
  for (const char* name : {"latents.npy", "latent_std.npy", "held_out.npy"})
    EXPECT_EQ(read_text_file(a / name), read_text_file(b / name)) << name;
  auto one = open_run(a), other = open_run(b);
  EXPECT_EQ(one.model->spectral().state(), other.model->spectral().state());
  const auto parameters = other.model->named_parameters(), buffers = other.model->named_buffers();
  for (const auto& p : one.model->named_parameters())
    EXPECT_TRUE(torch::equal(p.value(), parameters[p.key()])) << p.key();
  for (const auto& p : one.model->named_buffers())
    EXPECT_TRUE(torch::equal(p.value(), buffers[p.key()])) << p.key();
}

/// Sends this process SIGTERM when the training logs about epochs for the n-th time: 1 is its start, then
/// every epoch's end.
class SignalAtEpoch : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit SignalAtEpoch(int n) : left_(n) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string text(message.payload.begin(), message.payload.end());
    if (text.find("epoch") != std::string::npos && --left_ == 0) std::raise(SIGTERM);
  }
  void flush_() override {}

 private:
  int left_;
};

/// Trains in a process of its own, which the signal ends.
[[noreturn]] void train_until_signal(const RunSettings& settings, const fs::path& out, int epoch) {
  install_interrupt_handlers();
  spdlog::default_logger()->sinks().push_back(std::make_shared<SignalAtEpoch>(epoch));
  try {
    train_run(settings, out, false, false, "test");
  } catch (const Interrupted& interrupted) {
    std::_Exit(128 + interrupted.signal);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    std::_Exit(1);
  }
  std::_Exit(0);
}

class RunTest : public DataSetTest {
 protected:
  void SetUp() override {
    DataSetTest::SetUp();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
  void expect_interrupt(const RunSettings& settings, const fs::path& out, int epoch) {
    setenv(kChild, "1", 1);
    EXPECT_EXIT(train_until_signal(settings, out, epoch), testing::ExitedWithCode(128 + SIGTERM), "");
    unsetenv(kChild);
  }
  /// Interrupted at that message about epochs, and resumed.
  void expect_the_same_interrupted(const RunSettings& settings, int epoch) {
    expect_interrupt(settings, folder_ / "late", epoch);
    EXPECT_FALSE(fs::exists(folder_ / "late/latents.npy"));
    train_run({}, folder_ / "late", true, false, "test");
    train_run(settings, folder_ / "whole", false, false, "test");
    expect_same_run(folder_ / "late", folder_ / "whole");
  }
};

class RunWithPrior : public RunTest, public testing::WithParamInterface<std::string> {};

}  // namespace

TEST_P(RunWithPrior, InterruptedAndResumedIsTheSameAsAtOneGo) {
  const auto settings = small_run(simulate_particles("data", 60, 0.5), GetParam());
  // In the midst of the first epoch, before the prior starts to learn; and in the last one.
  expect_interrupt(settings, folder_ / "early", 1);
  ASSERT_TRUE(fs::exists(folder_ / "early/checkpoint.pt"));
  train_run({}, folder_ / "early", true, false, "test");
  expect_the_same_interrupted(settings, 3);
  expect_same_run(folder_ / "early", folder_ / "whole");
}

INSTANTIATE_TEST_SUITE_P(Run, RunWithPrior, testing::ValuesIn(latent::prior_kinds()), parameter_name);

TEST_F(RunTest, OptionsThatDoNotGoTogetherAreUsageErrors) {
  const auto message = [&](const std::string& prior,
                           const std::function<void(RunSettings&)>& change) -> std::string {
    auto settings = small_run(simulate_particles("data", 30, 0.5), prior);
    change(settings);
    try {
      train_run(settings, folder_ / "run", false, true, "test");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(message("gaussian", [](auto& s) { s.training.prior_init = "modes"; }),
                  "--prior-init modes needs a prior with couplings: not --prior gaussian"));
  EXPECT_TRUE(has(message("rbm", [](auto& s) { s.training.importance_samples = 4; }),
                  "--importance-samples with bits needs a smoothing with a density"));
  EXPECT_TRUE(
      has(message("gaussian",
                  [](auto& s) { s.training.importance_samples = 4, s.training.energy_in_prior = true; }),
          "--importance-samples does not go with --energy-in-prior"));
  EXPECT_TRUE(
      has(message("gaussian",
                  [](auto& s) { s.training.energy_in_prior = true, s.model.likelihood = "correlation"; }),
          "--energy-in-prior needs a likelihood in nats"));
  EXPECT_TRUE(
      has(message("rbm", [](auto& s) { s.model.posterior_groups = 2, s.training.energy_in_prior = true; }),
          "--energy-in-prior does not go with --posterior-groups"));
  EXPECT_TRUE(has(message("dbm", [](auto& s) { s.model.posterior_groups = 2; }),
                  "--posterior-groups needs bits with pair couplings"));
}

// What the plain runs above do not reach: other posteriors and other starts of the prior.
TEST_F(RunTest, GroupsOfBitsAndMotionsGoOnFromACheckpoint) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "boltzmann");
  settings.model.posterior_groups = 2, settings.training.prior_init = "modes";
  settings.training.accumulate = 2;
  expect_the_same_interrupted(settings, 3);
}

TEST_F(RunTest, RestraintsInThePriorGoOnFromACheckpoint) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "gbrbm");
  settings.training.energy_in_prior = true;
  expect_the_same_interrupted(settings, 3);
}

TEST_F(RunTest, InterruptedAtTheLastStepOfAnEpochItGoesOn) {
  auto settings = small_run(simulate_particles("data", 30, 0.5), "gaussian");
  settings.training.batch = 64, settings.training.epochs = 2;  // one step an epoch
  expect_interrupt(settings, folder_ / "a", 1);
  train_run({}, folder_ / "a", true, false, "test");
  train_run(settings, folder_ / "b", false, false, "test");
  expect_same_run(folder_ / "a", folder_ / "b");
}

TEST_F(RunTest, StoppedBeforeItsFirstCheckpointItStartsAgain) {
  auto settings = small_run(simulate_particles("data", 30, 0.5), "gaussian");
  settings.training.epochs = 1;
  const auto begun = RunFolder::create(folder_ / "begun", false);
  write_config(begun, settings, open_dataset(settings.input, {}).grid, "test");
  train_run({}, begun.path(), true, false, "test");
  train_run(settings, folder_ / "whole", false, false, "test");
  expect_same_run(begun.path(), folder_ / "whole");
}

TEST_F(RunTest, AFinishedRunResumedStaysAsItIs) {
  auto settings = small_run(simulate_particles("data", 50, 0.5), "gaussian");
  settings.training.epochs = 1;
  train_run(settings, folder_ / "run", false, false, "test");
  fs::copy(folder_ / "run", folder_ / "copy", fs::copy_options::recursive);
  train_run({}, folder_ / "run", true, false, "test");
  expect_same_run(folder_ / "run", folder_ / "copy");
}

TEST_F(RunTest, WritesWhatItPromises) {
  const auto settings = small_run(simulate_particles("data", 60, 0.5), "gaussian");
  train_run(settings, folder_ / "run", false, false, "test");
  const auto latents = io::read_npy_matrix(folder_ / "run/latents.npy"),
             deviations = io::read_npy_matrix(folder_ / "run/latent_std.npy");
  EXPECT_EQ(latents.rows, 60u);
  EXPECT_EQ(latents.columns, 2u);
  EXPECT_EQ(deviations.rows, 60u);
  for (const float s : deviations.values) EXPECT_GT(s, 0);
  const auto steps = records(folder_ / "run");
  ASSERT_FALSE(steps.empty());
  int epochs = 0;
  for (const auto& r : steps) {
    for (const char* key : {"step", "epoch", "loss", "log_likelihood", "kl", "restraint", "bound"})
      EXPECT_TRUE(r.contains(key)) << key;
    EXPECT_NEAR(r["bound"].get<double>(), r["log_likelihood"].get<double>() - r["kl"].get<double>(),
                1e-6 * std::abs(r["bound"].get<double>()));
    EXPECT_GE(r["kl"].get<double>(), 0);  // the partition function is in it from the first step on
    epochs += r.contains("held_out_bound");
  }
  EXPECT_EQ(epochs, 3);
  // The bounds on file are those of the checkpoint, and their mean the last one recorded.
  const auto held_out = io::read_npy_matrix(folder_ / "run/held_out.npy");
  ASSERT_EQ(held_out.columns, 3u);
  double mean = 0, importance_weighted = 0;
  for (std::size_t i = 0; i < held_out.rows; ++i) {
    mean += held_out.values[3 * i + 1] / static_cast<double>(held_out.rows);
    importance_weighted += held_out.values[3 * i + 2] / static_cast<double>(held_out.rows);
  }
  EXPECT_GT(importance_weighted, mean - 0.1);
  EXPECT_NEAR(mean, steps.back()["held_out_bound"].get<double>(), 1e-5 * std::abs(mean));
}

TEST_F(RunTest, OpensWhatWasTrainedAndDecodesIt) {
  auto settings = small_run(simulate_particles("data", 40, 0.5), "gaussian");
  settings.training.epochs = 1, settings.input.resolution = 8;
  train_run(settings, folder_ / "run", false, false, "a \"quoted\" command");
  auto run = open_run(folder_ / "run");
  EXPECT_EQ(run.settings.training.seed, 3);
  EXPECT_EQ(run.settings.model.latent_dim, 2);
  EXPECT_EQ(run.data.grid.max_shell, 9);
  EXPECT_EQ(run.data.particles.size(), 40u);
  const std::vector<float> latents{0, 0, 1, -1, 3, 2};
  const auto x = decode_latents(*run.model, latents);
  ASSERT_EQ(x.size(), 3u * 72);
  const auto expected = run.model->decode(torch::tensor(latents).view({3, 2})).detach().contiguous();
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], expected.data_ptr<float>()[i]);
  EXPECT_TRUE(decode_latents(*run.model, {}).empty());
}

TEST_F(RunTest, SeedsNameRuns) {
  auto settings = small_run(simulate_particles("data", 50, 0.5), "gaussian");
  settings.training.epochs = 1;
  train_run(settings, folder_ / "a", false, false, "test");
  train_run(settings, folder_ / "b", false, false, "test");
  expect_same_run(folder_ / "a", folder_ / "b");
  settings.training.seed = 4;
  train_run(settings, folder_ / "c", false, false, "test");
  EXPECT_NE(records(folder_ / "a"), records(folder_ / "c"));
}

TEST_F(RunTest, IsTheSameWithAndWithoutACache) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "mixture");
  for (const int box : {24, 16}) {
    settings.input.box = box;
    const auto plain = folder_ / fmt::format("plain{}", box), cached = folder_ / fmt::format("cached{}", box);
    settings.input.cache.reset();
    train_run(settings, plain, false, false, "test");
    settings.input.cache = folder_ / "cache";
    train_run(settings, cached, false, false, "test");
    EXPECT_TRUE(fs::is_empty(folder_ / "cache"));
    expect_same_run(cached, plain);
  }
}

TEST_F(RunTest, LearnsTheHinge) {
  auto settings = small_run(simulate_particles("data", 200, 2), "gaussian");
  settings.training.epochs = 12, settings.training.batch = 10, settings.training.warm_up = 0,
  settings.training.learning_rate = 3e-3;
  settings.training.bond_weight = 0, settings.training.edge_weight = 0, settings.training.clash_weight = 0;
  train_run(settings, folder_ / "run", false, false, "test");
  std::vector<nlohmann::json> epochs;
  for (const auto& r : records(folder_ / "run"))
    if (r.contains("held_out_bound")) epochs.push_back(r);
  ASSERT_EQ(epochs.size(), 12u);
  const double gain =
      epochs.back()["held_out_bound"].get<double>() - epochs.front()["held_out_bound"].get<double>();
  EXPECT_GT(gain, 4 * epochs.back()["held_out_error"].get<double>() / std::sqrt(40.0));
  EXPECT_GT(gain, 1);
  EXPECT_LT(epochs.back()["loss"].get<double>(), epochs.front()["loss"].get<double>());
}

TEST_F(RunTest, FoldersOfRunsAreChecked) {
  const auto settings = small_run(simulate_particles("data", 10, 0.5), "gaussian");
  EXPECT_MENTIONS(error_of([&] { train_run({}, folder_ / "absent", true, false, "test"); }), "is not a run");
  EXPECT_MENTIONS(error_of([&] { open_run(folder_ / "data"); }), "is not a run");
  EXPECT_MENTIONS(error_of([&] { train_run(settings, folder_ / "data", false, false, "test"); }), "--force");
  const auto folder = RunFolder::create(folder_ / "begun", false);
  write_config(folder, settings, open_dataset(settings.input, {}).grid, "test");
  EXPECT_MENTIONS(error_of([&] { open_run(folder.path()); }), "checkpoint.pt");
  replace_text_file(folder_ / "other/config.toml", "seed = 3\n");
  EXPECT_MENTIONS(error_of([&] { open_run(folder_ / "other"); }), "[run]");
  replace_text_file(folder_ / "broken/config.toml", "seed = = 3\n");
  EXPECT_MENTIONS(error_of([&] { open_run(folder_ / "broken"); }), "config.toml");
}
