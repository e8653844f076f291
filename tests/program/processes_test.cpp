#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

constexpr double kSame = 1e-4;  ///< relative
constexpr double kSoon = 20;    ///< seconds

std::vector<std::string> arguments(const fs::path& out, int processes, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--processes", std::to_string(processes), "--threads", std::to_string(processes)});
  return train_arguments(small_set().star(), small_set().model(), out, more);
}

std::vector<nlohmann::json> steps(const fs::path& run_folder) {
  std::vector<nlohmann::json> records;
  for (const auto& line : lines(read_text_file(run_folder / "train.jsonl")))
    records.push_back(nlohmann::json::parse(line));
  return records;
}

void expect_near(double a, double b, double tolerance) {
  EXPECT_NEAR(a, b, tolerance * std::max(1.0, std::abs(b)));
}

void expect_same_latents(const fs::path& a, const fs::path& b) {
  const auto x = io::read_npy_matrix(a / "latents.npy"), y = io::read_npy_matrix(b / "latents.npy");
  ASSERT_EQ(x.columns, y.columns);
  for (std::size_t i = 0; i < x.values.size(); ++i) EXPECT_NEAR(x.values[i], y.values[i], 1e-2);
}

void expect_same_run(const fs::path& a, const fs::path& b) {
  const auto x = steps(a), y = steps(b);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i]["step"], y[i]["step"]);
    for (const char* term : {"loss", "log_likelihood", "bound", "chi_square", "contrast"})
      expect_near(x[i][term], y[i][term], kSame);
    // Small beside the loss, and a Boltzmann machine's start from the posteriors magnifies rounding.
    for (const char* term : {"kl", "restraint"}) expect_near(x[i][term], y[i][term], 10 * kSame);
    if (x[i].contains("held_out_bound")) expect_near(x[i]["held_out_bound"], y[i]["held_out_bound"], kSame);
  }
  expect_same_latents(a, b);
}

/// Long enough to be ended in the middle.
std::vector<std::string> long_run(const fs::path& out, int processes) {
  return arguments(out, processes, {"--epochs", "200", "--batch", "6"});
}

/// A training that has done its first steps.
Child started(const std::vector<std::string>& words, const fs::path& out, const Settings& settings = {}) {
  Child child(words, settings);
  EXPECT_TRUE(child.wait_for(out / "train.jsonl"));
  return child;
}

Result resumed(const fs::path& out, int processes) {
  return run(
      {"train", small_set().star(), "--out", out, "--resume", "--processes", std::to_string(processes)});
}

bool alive(pid_t process) { return kill(process, 0) == 0; }

void expect_gone(const std::vector<pid_t>& processes) {
  for (int i = 0; i < 100 * kSoon; ++i) {
    if (std::none_of(processes.begin(), processes.end(), alive)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "processes are left behind";
}

/// A port that nobody listens on.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(socket, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  close(socket);
  return ntohs(address.sin_port);
}

/// Two processes as a launcher starts them, rank by rank.
std::vector<Result> launched(const std::vector<std::string>& words, const std::vector<Settings>& ranks) {
  std::vector<Child> children;
  for (const auto& settings : ranks) children.emplace_back(words, settings);
  std::vector<Result> results;
  for (auto& child : children) results.push_back(child.finish());
  return results;
}

}  // namespace

class Processes : public testing::TestWithParam<const char*> {};

TEST_P(Processes, GiveTheLossesOfOne) {
  const auto folder = test_folder();
  const std::vector<std::string> more{"--epochs", "6",  "--batch",       "6", "--prior",   GetParam(),
                                      "--bits",   "16", "--hidden-bits", "4", "--warm-up", "0.3"};
  for (const int n : {1, 2}) expect_success(run(arguments(folder / std::to_string(n), n, more)));
  EXPECT_GE(steps(folder / "1").back()["step"], 50);
  expect_same_run(folder / "2", folder / "1");
}

INSTANTIATE_TEST_SUITE_P(Priors, Processes, testing::Values("gaussian", "gbrbm", "rbm"));

TEST(ProcessesTest, BatchesNeedNotDivideEvenly) {
  const auto folder = test_folder();
  // The last batch of an epoch leaves the third process nothing.
  for (const int n : {1, 3})
    expect_success(run(arguments(folder / std::to_string(n), n, {"--epochs", "11", "--batch", "13"})));
  EXPECT_GE(steps(folder / "1").back()["step"], 50);
  expect_same_run(folder / "3", folder / "1");
}

TEST(ProcessesTest, UnusableParticlesAreLeftOutOnce) {
  const auto folder = test_folder();
  const auto set = copy_of_small_set(folder / "set");
  edit_images(set.stack(), [](int image, std::vector<float>& pixels) {
    if (image % 7 == 3) std::fill(pixels.begin(), pixels.end(), 1.0f);
  });
  for (const int n : {1, 2})
    expect_success(run(train_arguments(set.star(), set.model(), folder / std::to_string(n),
                                       {"--batch", "5", "--processes", std::to_string(n)})));
  const auto x = io::read_npy_matrix(folder / "1/latents.npy"),
             y = io::read_npy_matrix(folder / "2/latents.npy");
  ASSERT_EQ(x.values.size(), y.values.size());
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    EXPECT_EQ(std::isnan(x.values[i]), i / 2 % 7 == 3);
    EXPECT_EQ(std::isnan(x.values[i]), std::isnan(y.values[i]));
  }
  EXPECT_EQ(steps(folder / "1").size(), steps(folder / "2").size());
}

TEST(ProcessesTest, ResumeInAnyNumber) {
  const auto folder = test_folder();
  const auto words = [&](const fs::path& out, int n) {
    return arguments(out, n, {"--epochs", "12", "--batch", "6", "--prior", "mixture", "--components", "3"});
  };
  expect_success(run(words(folder / "whole", 1)));
  const auto out = folder / "run";
  auto child = started(words(out, 2), out);
  const auto others = child.children();
  EXPECT_EQ(others.size(), 1u);
  child.send(SIGTERM);
  expect_last_line(child.finish(), 128 + SIGTERM, {"interrupted", "--resume"});
  expect_gone(others);
  expect_success(resumed(out, 3));
  expect_same_run(out, folder / "whole");
}

TEST(ProcessesTest, AKilledProcessEndsTheRunWithOneMessage) {
  const auto out = test_folder() / "run";
  auto child = started(long_run(out, 3), out);
  const auto others = child.children();
  ASSERT_EQ(others.size(), 2u);
  kill(others[0], SIGKILL);
  const auto start = std::chrono::steady_clock::now();
  const auto result = child.finish();
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), kSoon);
  expect_last_line(result, 1, {"process 2 of 3", "signal 9", "--resume"});
  expect_gone(others);
  // The checkpoint is whole: a resumed run reads it and goes on, here until it is told to stop.
  Child again({"train", small_set().star(), "--out", out, "--resume"});
  std::this_thread::sleep_for(std::chrono::seconds(2));
  again.send(SIGINT);
  expect_last_line(again.finish(), 128 + SIGINT, {"interrupted"});
}

TEST(ProcessesTest, TheOthersEndWithTheFirst) {
  const auto out = test_folder() / "run";
  auto child = started(long_run(out, 2), out);
  const auto others = child.children();
  ASSERT_EQ(others.size(), 1u);
  child.send(SIGKILL);
  expect_gone(others);
  const auto result = child.finish();
  EXPECT_TRUE(result.signalled);
  const auto all = lines(result.err);
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& l) { return l.starts_with("cryoscape: "); }),
            1);
  EXPECT_NE(result.err.find("another process of this run has ended"), std::string::npos) << result.err;
}

TEST(ProcessesTest, ASilentProcessIsNotWaitedForForever) {
  const auto out = test_folder() / "run";
  Settings hasty;
  hasty.environment = {"CRYOSCAPE_TIMEOUT=2"};
  auto child = started(long_run(out, 2), out, hasty);
  const auto others = child.children();
  ASSERT_EQ(others.size(), 1u);
  kill(others[0], SIGSTOP);
  expect_last_line(child.finish(), 1, {"did not answer for 2 s", "--resume"});
  expect_gone(others);
}

TEST(ProcessesTest, AnErrorOfTheFirstIsTheOnlyOne) {
  const auto out = test_folder() / "run";
  Settings full;
  full.file_size_limit = 20000;
  expect_last_line(run(arguments(out, 2), full), 1, {"cannot write", "checkpoint.pt"});
}

TEST(ProcessesTest, ErrorsOfOthersAreHandedOver) {
  const auto folder = test_folder();
  const auto port = free_port();
  const auto rank = [&](int r) {
    Settings settings;
    settings.environment = {fmt::format("RANK={}", r), "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1",
                            fmt::format("MASTER_PORT={}", port)};
    return settings;
  };
  const auto set = copy_of_small_set(folder / "set");
  std::vector<Child> children;
  children.emplace_back(train_arguments(set.star(), set.model(), folder / "run"), rank(0));
  children.emplace_back(train_arguments(set.star(), folder / "absent.pdb", folder / "run"), rank(1));
  expect_last_line(children[0].finish(), 1, {"process 2 of 2", "absent.pdb"});
  const auto other = children[1].finish();
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_EQ(other.err, "");
}

TEST(ProcessesTest, MayBeStartedByTorchrun) {
  const auto folder = test_folder();
  const auto port = free_port();
  const auto rank = [&](int r) {
    Settings settings;
    settings.environment = {
        fmt::format("RANK={}", r), fmt::format("LOCAL_RANK={}", r), "WORLD_SIZE=2",
        "LOCAL_WORLD_SIZE=2",      "MASTER_ADDR=localhost",         fmt::format("MASTER_PORT={}", port)};
    return settings;
  };
  const auto results =
      launched(train_arguments(small_set().star(), small_set().model(), folder / "run"), {rank(0), rank(1)});
  for (const auto& result : results) expect_success(result);
  EXPECT_NE(results[0].err.find("2 processes"), std::string::npos);
  EXPECT_EQ(results[1].err, "");
  expect_same_run(folder / "run", small_run());
}

TEST(ProcessesTest, MayBeTasksOfASlurmStep) {
  const auto folder = test_folder();
  const auto rank = [&](int r) {
    Settings settings;
    settings.environment = {fmt::format("SLURM_PROCID={}", r),
                            fmt::format("SLURM_LOCALID={}", r),
                            "SLURM_NTASKS=2",
                            "SLURM_STEP_NUM_TASKS=2",
                            "SLURM_STEP_NODELIST=localhost",
                            fmt::format("SLURM_JOB_ID={}", getpid())};
    return settings;
  };
  const auto results =
      launched(train_arguments(small_set().star(), small_set().model(), folder / "run"), {rank(0), rank(1)});
  for (const auto& result : results) expect_success(result);
  EXPECT_EQ(results[1].err, "");
  expect_same_run(folder / "run", small_run());
}

TEST(ProcessesTest, RunGoesOnInTheFirst) {
  const auto out = test_folder() / "run";
  auto words = arguments(out, 2, {"--states", "2", "--json"});
  words[0] = "run";
  const auto result = run(words);
  expect_success(result);
  EXPECT_EQ(nlohmann::json::parse(result.out)["states"].size(), 2u);
}

TEST(ProcessesTest, TooManyAreRefused) {
  const auto folder = test_folder();
  expect_last_line(run(arguments(folder / "run", 3, {"--batch", "2"})), 2,
                   {"3 processes", "batch of 2", "at most 2"});
  replace_text_file(folder / "two.txt", "0\n1\n");
  expect_last_line(run(arguments(folder / "run", 3, {"--subset", folder / "two.txt"})), 2,
                   {"3 processes", "2 particles"});
  expect_one_line(run(arguments(folder / "run", -1)), 2, {"--processes"});
}

TEST(ProcessesTest, TheNumberMustBeWhatTheLauncherSays) {
  const auto folder = test_folder();
  Settings four;
  four.environment = {"RANK=0", "WORLD_SIZE=4", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=1"};
  expect_one_line(run(arguments(folder / "run", 2), four), 2, {"--processes is 2", "started 4"});
  Settings incomplete;
  incomplete.environment = {"WORLD_SIZE=4"};
  expect_one_line(run(arguments(folder / "run", 0), incomplete), 2, {"RANK"});
  // Alone, whatever the environment says.
  expect_success(run(arguments(folder / "run", 1), four));
}

TEST(ProcessesTest, OthersThatDoNotComeAreNotWaitedForForever) {
  Settings lonely;
  lonely.environment = {"RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1",
                        fmt::format("MASTER_PORT={}", free_port()), "CRYOSCAPE_TIMEOUT=1"};
  expect_one_line(run(arguments(test_folder() / "run", 0), lonely), 1,
                  {"2 processes", "did not find each other"});
  lonely.environment.back() = "CRYOSCAPE_TIMEOUT=soon";
  expect_one_line(run(arguments(test_folder() / "run", 0), lonely), 2, {"CRYOSCAPE_TIMEOUT"});
}
