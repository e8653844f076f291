#include "cryoscape/cli/processes.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "cryoscape/cli/command.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/log.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::cli {
namespace {

using std::chrono::milliseconds;

constexpr const char* kHere = "127.0.0.1";
constexpr milliseconds kPoll(10), kToEnd(10000), kToFail(1000);

/// The words of this process's command line.
std::vector<std::string> own_arguments() {
  std::vector<std::string> words;
  const auto text = read_text_file("/proc/self/cmdline");
  for (std::size_t at = 0; at < text.size(); at += words.back().size() + 1)
    words.emplace_back(text.c_str() + at);
  return words;
}

/// The environment of a copy: this process's, with the variables that tell it its place.
std::vector<std::string> copy_environment(const training::ProcessPlace& place, int rank, int port) {
  const std::pair<const char*, std::string> variables[] = {{"RANK", std::to_string(rank)},
                                                           {"LOCAL_RANK", std::to_string(rank)},
                                                           {"WORLD_SIZE", std::to_string(place.size)},
                                                           {"LOCAL_WORLD_SIZE", std::to_string(place.size)},
                                                           {"MASTER_ADDR", place.address},
                                                           {"MASTER_PORT", std::to_string(port)}};
  std::vector<std::string> all;
  for (char** variable = environ; *variable; ++variable) {
    const std::string text = *variable, name = text.substr(0, text.find('='));
    if (std::none_of(std::begin(variables), std::end(variables),
                     [&](const auto& v) { return v.first == name; }))
      all.push_back(text);
  }
  for (const auto& [name, value] : variables) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// Starts this program again. In a process group of its own: Ctrl-C reaches the first process, which tells
/// the others. Without this process's sockets: open in a copy, they would hide that this process has ended.
pid_t spawn(std::vector<std::string> arguments, std::vector<std::string> environment) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  pid_t process = -1;
  const int error = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, pointers(arguments).data(),
                                pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) fail("cannot start another process: {}", std::strerror(error));
  return process;
}

/// Ends a process that is not the first, in the handler of its error.
[[noreturn]] void fail_other(training::ProcessGroup& group) {
  try {
    throw;
  } catch (const training::PeerLost&) {
    if (!group.hand_over("")) throw;
    throw Ended{1};
  } catch (const Interrupted& e) {
    group.hand_over("");
    throw Ended{128 + e.signal};
  } catch (const std::exception& e) {
    if (!group.hand_over(fmt::format("process {} of {}: {}", group.rank() + 1, group.size(), error_line(e))))
      throw;
    throw Ended{1};
  }
}

}  // namespace

Processes::Processes(int processes) {
  if (processes == 1) return;
  if (const auto given = training::place_from(training::process_environment())) {
    if (processes > 1 && processes != given->size)
      throw UsageError(
          fmt::format("--processes is {}, but torchrun or SLURM started {}", processes, given->size));
    place_ = *given;
  } else if (processes > 1) {
    place_.size = place_.local_size = processes;
    place_.address = kHere;
    copies_ = processes - 1;
  }
  set_thread_count(training::share_of_threads(thread_count(), place_.local_rank, place_.local_size));
  if (!first()) log::initialise(log::Level::quiet);
}

Processes::~Processes() { end_copies(kToFail); }

void Processes::run(const std::function<void(training::ProcessGroup&)>& work) {
  if (place_.size == 1) return work(training::lone_process());
  training::ProcessGroup group(place_, [this](int port) { start_copies(port); });
  try {
    work(group);
    // Nobody leaves while another still needs it.
    group.barrier();
  } catch (...) {
    if (!first()) fail_other(group);
    fail_first(group);
  }
  end_copies(kToEnd);
}

void Processes::start_copies(int port) {
  for (int i = 0; i < copies_; ++i)
    running_.push_back(spawn(own_arguments(), copy_environment(place_, i + 1, port)));
}

void Processes::fail_first(training::ProcessGroup& group) {
  try {
    throw;
  } catch (const training::PeerLost& e) {
    if (const auto reported = group.leave()) fail("{}", *reported);
    fail("{}: the last checkpoint is whole, --resume goes on from it", killed_copy().value_or(e.what()));
  } catch (...) {
    group.leave();
    throw;
  }
}

std::optional<std::string> Processes::killed_copy() {
  for (std::size_t i = 0; i < running_.size(); ++i) {
    int status = 0;
    if (running_[i] < 0 || waitpid(running_[i], &status, WNOHANG) != running_[i]) continue;
    running_[i] = -1;
    if (WIFSIGNALED(status))
      return fmt::format("process {} of {} was killed by signal {} ({})", i + 2, place_.size,
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return std::nullopt;
}

void Processes::end_copies(milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (auto& process : running_) {
    if (process < 0) continue;
    while (waitpid(process, nullptr, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= end) kill(process, SIGKILL);
      std::this_thread::sleep_for(kPoll);
    }
    process = -1;
  }
}

}  // namespace cryoscape::cli
