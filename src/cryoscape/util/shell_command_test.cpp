#include "cryoscape/util/shell_command.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;

namespace {

std::string output_of(const std::string& command, const std::string& input = {}) {
  return run_shell_command({"filter", command}, input);
}

std::string error_of_command(const ShellCommand& command, const std::string& input = {}) {
  return error_of([&] { run_shell_command(command, input); });
}

/// Whether a process exists and is no zombie.
bool alive(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string id, name, state;
  return (file >> id >> name >> state) && state != "Z";
}

}  // namespace

TEST(ShellCommand, IsAFilter) {
  EXPECT_EQ(output_of("tr a-c A-C", "abcd"), "ABCd");
  EXPECT_EQ(output_of("cat"), "");
}

// Larger than all pipes together, in both directions at once.
TEST(ShellCommand, DoesNotStallOnFullPipes) {
  std::string text;
  for (int k = 0; k < 400000; ++k) text += std::to_string(k) + "\n";
  EXPECT_EQ(output_of("tee /dev/stderr", text), text);
  EXPECT_EQ(output_of("cat > /dev/null; echo done", text), "done\n");
}

TEST(ShellCommand, MayLeaveItsInputUnread) {
  const std::string text(1 << 22, 'x');
  EXPECT_EQ(output_of("echo done", text), "done\n");
  EXPECT_EQ(output_of("exec <&-; sleep 0.05; echo done", text), "done\n");
}

TEST(ShellCommand, WhatItWroteBeforeItsEndIsRead) {
  EXPECT_EQ(output_of("head -c 60000 /dev/zero").size(), 60000u);
  EXPECT_EQ(output_of("head -c 3000000 /dev/zero").size(), 3000000u);
}

TEST(ShellCommand, FailuresHaveTheirLines) {
  EXPECT_EQ(error_of_command({"filter", "exit 3"}),
            "filter failed with exit code 3: it says nothing on standard error");
  EXPECT_EQ(error_of_command({"filter", "echo first >&2; echo no licence >&2; exit 1"}),
            "filter failed with exit code 1: no licence");
  EXPECT_EQ(error_of_command({"filter", "kill -9 $$"}), "filter was ended by signal 9 (Killed)");
  const auto message = error_of_command({"filter", "/no/such/program"});
  EXPECT_TRUE(message.starts_with("filter cannot be started: ")) << message;
  EXPECT_NE(message.find("/no/such/program"), std::string::npos) << message;
  EXPECT_EQ(error_of_command({"filter", "exec cat /dev/zero", 60, 1 << 20}),
            "filter prints more than the 1 MB that an answer can take");
  EXPECT_EQ(error_of_command({"filter", "sleep 100", 0.05}), "filter did not end within 0.05 s");
}

// The time limit ends what the command started, too, even where that ignores signals.
TEST(ShellCommand, LeavesNoProcessBehind) {
  const auto file = testing::TempDir() + "/cryoscape_shell_command_" + std::to_string(getpid());
  EXPECT_NE(error_of_command({"filter", "trap '' TERM INT; sleep 100 & echo $! > " + file + "; wait", 0.3}),
            "");
  int process = 0;
  std::ifstream(file) >> process;
  ASSERT_GT(process, 0);
  for (int k = 0; k < 500 && alive(process); ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(alive(process));
  std::remove(file.c_str());
}

TEST(ShellCommand, LeavesSignalsAsTheyWere) {
  sigset_t before, after, pending;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  output_of("true", std::string(1 << 20, 'x'));
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  sigpending(&pending);
  EXPECT_EQ(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
  EXPECT_FALSE(sigismember(&pending, SIGPIPE));
}
