#include "cryoscape/training/trainer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <set>

#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;
namespace fs = std::filesystem;

namespace {

std::string bytes(const fs::path& path) { return read_text_file(path); }

/// A trainer with all that it refers to.
struct Bench {
  Dataset data;
  model::HeterogeneityModel model;
  structure::RestraintEvaluator restraints;
  Trainer trainer;

  Bench(const RunSettings& s, const fs::path& out, Dataset d, std::shared_ptr<io::StackReader> reader = {})
      : data(std::move(d)),
        model(s.model, data.scene(), s.training.seed),
        restraints(structure::make_restraints(data.beads, {})),
        trainer(model, data.particles, loader(s, std::move(reader)), restraints, s.training,
                RunFolder::create(out, true)) {}
  Bench(const RunSettings& s, const fs::path& out) : Bench(s, out, open_dataset(s.input, {})) {}

  particles::LoaderOptions loader(const RunSettings& s, std::shared_ptr<io::StackReader> reader) const {
    auto options = data.loader_options(s.training.batch, false);
    options.reader = std::move(reader);
    return options;
  }
};

/// Files may not grow beyond `bytes` while it lives, as on a full disk: writes fail.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

}  // namespace

class TrainerTest : public DataSetTest {};

TEST_F(TrainerTest, HeldOutParticlesFollowTheirNames) {
  const auto settings = small_run(simulate_particles("data", 150, 0.5), "gaussian");
  auto doubled = open_dataset(settings.input, {});
  const std::uint32_t n = static_cast<std::uint32_t>(doubled.particles.size());
  auto& set = doubled.particles;
  for (std::uint32_t i = 0; i < n; ++i)
    set.particles.push_back(set.particles[i]), set.rows.push_back(set.rows[i]);
  Bench once(settings, folder_ / "a"), twice(settings, folder_ / "b", std::move(doubled));
  const auto single = once.trainer.held_out_bound().indices, pairs = twice.trainer.held_out_bound().indices;
  std::set<std::uint32_t> expected;
  for (const auto i : single) expected.insert({i, i + n});
  EXPECT_EQ(std::set<std::uint32_t>(pairs.begin(), pairs.end()), expected);
  // About the share asked for: four standard errors.
  EXPECT_NEAR(single.size(), 0.2 * n, 4 * std::sqrt(0.2 * 0.8 * n));
  auto other = settings;
  other.training.seed = 4;
  EXPECT_NE(Bench(other, folder_ / "c").trainer.held_out_bound().indices, single);
}

TEST_F(TrainerTest, FewParticlesAreAllTrainedOn) {
  const auto settings = small_run(simulate_particles("data", 30, 0.5), "gaussian");
  Bench bench(settings, folder_ / "run");
  const auto bound = bench.trainer.held_out_bound();
  EXPECT_TRUE(bound.bound.empty());
  EXPECT_EQ(bound.mean, 0);
}

TEST_F(TrainerTest, HeldOutBoundIsReproducible) {
  for (const char* prior : {"gaussian", "rbm"}) {
    const auto settings = small_run(simulate_particles("data", 80, 0.5), prior);
    Bench a(settings, folder_ / "a"), b(settings, folder_ / "b");
    const auto first = a.trainer.held_out_bound(), again = a.trainer.held_out_bound(),
               other = b.trainer.held_out_bound();
    ASSERT_GT(first.bound.size(), 4u);
    EXPECT_EQ(first.bound, again.bound);
    EXPECT_EQ(first.bound, other.bound);
    double mean = 0;
    for (const double x : first.bound) mean += x / static_cast<double>(first.bound.size());
    EXPECT_NEAR(first.mean, mean, 1e-6 * std::abs(mean));
    EXPECT_GT(first.standard_error, 0);
  }
}

TEST_F(TrainerTest, PiecesOfBatchesMakeTheSameSteps) {
  for (const char* prior : {"gaussian", "rbm"}) {
    auto settings = small_run(simulate_particles("data", 80, 0.5), prior);
    settings.training.batch = 20, settings.training.epochs = 3;
    std::vector<HeldOutBound> bounds;
    for (const int pieces : {1, 3}) {  // 20 rows in pieces of 7, 7 and 6; the last batch has fewer
      settings.training.accumulate = pieces;
      Bench bench(settings, folder_ / fmt::format("{}{}", prior, pieces));
      bench.trainer.run(false);
      bounds.push_back(bench.trainer.held_out_bound());
    }
    ASSERT_GT(bounds[0].bound.size(), 0u);
    for (std::size_t i = 0; i < bounds[0].bound.size(); ++i)
      EXPECT_NEAR(bounds[1].bound[i], bounds[0].bound[i], 1e-5 * std::abs(bounds[0].bound[i])) << prior;
  }
}

TEST_F(TrainerTest, AFullDiskLeavesTheOldCheckpoint) {
  const auto settings = small_run(simulate_particles("data", 20, 0.5), "gaussian");
  Bench bench(settings, folder_ / "run");
  bench.trainer.save_checkpoint();
  const auto before = bytes(folder_ / "run/checkpoint.pt");
  const auto files = files_in(folder_ / "run");
  // Too small for anything; for the end of the archive only.
  for (const rlim_t limit : {static_cast<rlim_t>(4096), static_cast<rlim_t>(before.size() - 100)}) {
    std::string message;
    {
      const FullDisk full(limit);
      message = error_of([&] { bench.trainer.save_checkpoint(); });
    }
    EXPECT_MENTIONS(message, "checkpoint.pt");
    EXPECT_EQ(bytes(folder_ / "run/checkpoint.pt"), before);
    EXPECT_EQ(files_in(folder_ / "run"), files);
  }
  EXPECT_NO_THROW(bench.trainer.load_checkpoint());
}

TEST_F(TrainerTest, ADivergedPriorLeavesTheOldCheckpoint) {
  const auto settings = small_run(simulate_particles("data", 20, 0.5), "rbm");
  Bench bench(settings, folder_ / "run");
  bench.trainer.save_checkpoint();
  const auto before = bytes(folder_ / "run/checkpoint.pt");
  {
    torch::NoGradGuard no_grad;
    bench.model.prior().named_parameters()["w"].fill_(std::numeric_limits<float>::infinity());
  }
  EXPECT_MENTIONS(error_of([&] { bench.trainer.save_checkpoint(); }), "the checkpoint before it stays");
  EXPECT_EQ(bytes(folder_ / "run/checkpoint.pt"), before);
}

TEST_F(TrainerTest, EncodesInTheOrderAskedFor) {
  const auto settings = small_run(simulate_particles("data", 40, 0.5), "gaussian");
  Bench bench(settings, folder_ / "run");
  const std::vector<std::uint32_t> order{7, 31, 0, 12}, sorted{0, 7, 12, 31};
  const auto a = bench.trainer.encode(order), b = bench.trainer.encode(sorted);
  ASSERT_EQ(a.mean.size(), 8u);
  for (const auto& [i, j] : {std::pair{0, 1}, {1, 3}, {2, 0}, {3, 2}})
    for (int k = 0; k < 2; ++k) {
      EXPECT_NEAR(a.mean[2 * i + k], b.mean[2 * j + k], 1e-5);
      EXPECT_NEAR(a.standard_deviation[2 * i + k], b.standard_deviation[2 * j + k], 1e-5);
      EXPECT_GT(a.standard_deviation[2 * i + k], 0);
    }
}

TEST_F(TrainerTest, UnusableParticlesHaveNoLatents) {
  const auto settings = small_run(simulate_particles("data", 20, 0.5), "gaussian");
  auto data = open_dataset(settings.input, {});
  {
    io::StackReader reader;
    io::StackWriter writer(folder_ / "flat.mrcs", 24, 3);
    std::vector<float> image(24 * 24);
    for (int i = 0; i < 20; ++i) {
      reader.read(folder_ / "data/particles.mrcs", i, image);
      if (i == 5) std::fill(image.begin(), image.end(), 1.0f);
      writer.append(image);
    }
    writer.close();
  }
  data.particles.stacks[0] = folder_ / "flat.mrcs";
  Bench bench(settings, folder_ / "run", std::move(data));
  const auto latents = bench.trainer.encode(std::vector<std::uint32_t>{4, 5, 6});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(std::isnan(latents.mean[i]), i / 2 == 1) << i;
  EXPECT_NO_THROW(bench.trainer.run(false));
}

TEST_F(TrainerTest, DiskErrorsEndTheRunAndNoStepIsLost) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "mixture");
  Bench whole(settings, folder_ / "whole");
  whole.trainer.run(false);
  // The reader is asked for 60 images at least in an epoch and the pass behind it.
  for (const int good : {10, 3 * 60 + 75, 3 * 60 + 60 + 55}) {
    std::atomic<int> reads = 0;
    const auto failing = std::make_shared<io::StackReader>(
        8, [&](int file, void* out, std::size_t bytes, off_t offset) -> ssize_t {
          errno = EIO;
          return ++reads > good ? -1 : pread(file, out, bytes, offset);
        });
    const auto out = folder_ / std::to_string(good);
    {
      Bench bench(settings, out, open_dataset(settings.input, {}), failing);
      const auto message = error_of([&] { bench.trainer.run(false); });
      EXPECT_MENTIONS(message, "Input/output error");
      EXPECT_EQ(message.find("--resume") != std::string::npos, fs::exists(out / "checkpoint.pt")) << message;
      EXPECT_EQ(fs::exists(out / "checkpoint.pt"), good > 60);
    }
    Bench resumed(settings, out);
    resumed.trainer.run(true);
    EXPECT_EQ(resumed.trainer.held_out_bound().bound, whole.trainer.held_out_bound().bound);
  }
}

TEST_F(TrainerTest, WantOfMemoryKeepsTheCheckpoint) {
  const auto settings = small_run(simulate_particles("data", 60, 0.5), "gaussian");
  Bench whole(settings, folder_ / "whole");
  whole.trainer.run(false);
  std::atomic<int> reads = 0;
  const auto failing = std::make_shared<io::StackReader>(
      8, [&](int file, void* out, std::size_t bytes, off_t offset) -> ssize_t {
        if (++reads > 3 * 60 + 60 + 20) throw std::bad_alloc();
        return pread(file, out, bytes, offset);
      });
  {
    Bench bench(settings, folder_ / "run", open_dataset(settings.input, {}), failing);
    EXPECT_THROW(bench.trainer.run(false), std::bad_alloc);
  }
  Bench resumed(settings, folder_ / "run");
  resumed.trainer.run(true);
  EXPECT_EQ(resumed.trainer.held_out_bound().bound, whole.trainer.held_out_bound().bound);
}

TEST_F(TrainerTest, ResumingNeedsAWholeCheckpointOfTheSameModel) {
  auto settings = small_run(simulate_particles("data", 40, 0.5), "gbrbm");
  settings.training.epochs = 1;
  const auto checkpoint = folder_ / "run/checkpoint.pt";
  const auto complaint = [&](const RunSettings& s) {
    Bench bench(s, folder_ / "run");
    return error_of([&] { bench.trainer.load_checkpoint(); });
  };
  EXPECT_MENTIONS(complaint(settings), "checkpoint.pt");
  Bench(settings, folder_ / "run").trainer.save_checkpoint();
  EXPECT_EQ(complaint(settings), "");
  const auto whole = bytes(checkpoint);
  auto other = settings;
  other.model.prior.kind = "mixture";
  EXPECT_MENTIONS(complaint(other), "checkpoint.pt");
  for (const auto& damaged : {std::string(), std::string("no checkpoint"), whole.substr(0, whole.size() / 2),
                              whole.substr(whole.size() / 2)}) {
    replace_text_file(checkpoint, damaged);
    EXPECT_MENTIONS(complaint(settings), "checkpoint.pt");
    model::HeterogeneityModel model(settings.model, open_dataset(settings.input, {}).scene(), 1);
    EXPECT_MENTIONS(error_of([&] { load_model_file(checkpoint, model); }), "checkpoint.pt");
  }
  fs::remove(checkpoint);
  model::HeterogeneityModel model(settings.model, open_dataset(settings.input, {}).scene(), 1);
  EXPECT_MENTIONS(error_of([&] { load_model_file(checkpoint, model); }), "missing");
}

TEST_F(TrainerTest, CheckpointOfAnotherBoxIsRefused) {
  auto settings = small_run(simulate_particles("data", 10, 0.5), "gaussian");
  Bench(settings, folder_ / "run").trainer.save_checkpoint();
  settings.input.box = 16;
  Bench other(settings, folder_ / "run");
  EXPECT_NE(error_of([&] { other.trainer.load_checkpoint(); }), "");
}

TEST_F(TrainerTest, DivergenceIsSaidAndNotTrainedOn) {
  auto settings = small_run(simulate_particles("data", 30, 0.5), "gaussian");
  Bench bench(settings, folder_ / "run");
  {
    torch::NoGradGuard no_grad;
    bench.model.network_parameters().front().fill_(std::numeric_limits<float>::quiet_NaN());
  }
  EXPECT_MENTIONS(error_of([&] { bench.trainer.run(false); }), "--learning-rate");
}
