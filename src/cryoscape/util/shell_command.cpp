#include "cryoscape/util/shell_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"

namespace cryoscape {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMilliseconds = 20, kNotExecutable = 126, kNotFound = 127, kPipeParts = 32;
constexpr std::size_t kKeptErrors = 4096;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int file = -1) : file_(file) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }
  bool open() const { return file_ >= 0; }
  void reset(int file = -1) {
    if (open()) close(file_);
    file_ = file;
  }

 private:
  int file_;
};

struct Pipe {
  Descriptor read, write;

  explicit Pipe(const std::string& name) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail("{} cannot be started: {}", name, std::strerror(errno));
    read.reset(ends[0]), write.reset(ends[1]);
  }
};

/// Writing to a command that no longer reads is an error of the write, not the end of this process: SIGPIPE
/// is held back in this thread, and one that came is taken away.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipeSignal() {
    if (sigismember(&before_, SIGPIPE)) return;
    const timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t pipe_, before_;
};

/// A running command and the near ends of its pipes.
class Child {
 public:
  Child(const ShellCommand& command, const sigset_t& signals)
      : input_(command.name), output_(command.name), errors_(command.name) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input_.read.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output_.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors_.write.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &signals);
    std::string shell = "sh", option = "-c", text = command.command;
    char* words[] = {shell.data(), option.data(), text.data(), nullptr};
    const int error = posix_spawn(&process_, "/bin/sh", &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) fail("{} cannot be started: {}", command.name, std::strerror(error));
    input_.read.reset(), output_.write.reset(), errors_.write.reset();
    for (const int file : {input_.write.get(), output_.read.get(), errors_.read.get()})
      fcntl(file, F_SETFL, O_NONBLOCK);
  }
  ~Child() {
    // Before the leader is reaped: until then no other group can have its number.
    kill(-process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Descriptor& input() { return input_.write; }
  Descriptor& output() { return output_.read; }
  Descriptor& errors() { return errors_.read; }

  /// Whether it has ended, and then how; it is not reaped.
  bool ended(siginfo_t& how) const {
    how.si_pid = 0;
    return waitid(P_PID, static_cast<id_t>(process_), &how, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           how.si_pid == process_;
  }

 private:
  Pipe input_, output_, errors_;
  pid_t process_ = -1;
};

/// Appends what can be read now, no more than a full pipe holds; closes at the end.
void read_available(Descriptor& file, std::string& text) {
  std::array<char, 65536> buffer;
  for (int part = 0; part < kPipeParts && file.open(); ++part) {
    const auto count = read(file.get(), buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      if (count == 0 || errno != EAGAIN) file.reset();
      return;
    }
  }
}

/// Writes what the command takes now; closes when all is written or nobody reads.
void write_available(Descriptor& file, std::string_view& rest) {
  while (file.open()) {
    const auto count = rest.empty() ? 0 : write(file.get(), rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
    if (rest.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) return file.reset();
    if (count < 0 && errno == EAGAIN) return;
  }
}

void wait_for_pipes(Child& child) {
  pollfd files[] = {{child.input().get(), POLLOUT, 0},
                    {child.output().get(), POLLIN, 0},
                    {child.errors().get(), POLLIN, 0}};
  poll(files, 3, kPollMilliseconds);
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return "it says nothing on standard error";
  const auto before = text.find_last_of("\r\n", end);
  return text.substr(before == std::string::npos ? 0 : before + 1,
                     before == std::string::npos ? end + 1 : end - before);
}

void check_end(const ShellCommand& command, const siginfo_t& how, const std::string& errors) {
  if (how.si_code != CLD_EXITED)
    fail("{} was ended by signal {} ({})", command.name, how.si_status, strsignal(how.si_status));
  if (how.si_status == kNotFound || how.si_status == kNotExecutable)
    fail("{} cannot be started: {}", command.name, last_line(errors));
  if (how.si_status != 0)
    fail("{} failed with exit code {}: {}", command.name, how.si_status, last_line(errors));
}

}  // namespace

std::string run_shell_command(const ShellCommand& command, const std::string& input) {
  const auto limit = Clock::now() + std::chrono::duration<double>(command.time_limit);
  const NoBrokenPipeSignal quiet;
  Child child(command, quiet.before());
  std::string output, errors;
  std::string_view rest = input;
  siginfo_t how{};
  for (bool ended = false; !ended;) {
    throw_if_interrupted();
    wait_for_pipes(child);
    // Asked before reading: what it wrote before its end is then read.
    ended = child.ended(how);
    write_available(child.input(), rest);
    read_available(child.output(), output);
    read_available(child.errors(), errors);
    if (output.size() > command.most_output)
      fail("{} prints more than the {} MB that an answer can take", command.name, command.most_output >> 20);
    if (errors.size() > 2 * kKeptErrors) errors.erase(0, errors.size() - kKeptErrors);
    if (!ended && Clock::now() > limit)
      fail("{} did not end within {} s{}", command.name, command.time_limit, command.time_limit_note);
  }
  check_end(command, how, errors);
  return output;
}

}  // namespace cryoscape
