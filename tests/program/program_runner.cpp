#include "program_runner.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cryoscape::program {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::milliseconds kPoll(2);

int memory_file() {
  const int file = memfd_create("output", MFD_CLOEXEC);
  if (file < 0) throw std::runtime_error("memfd_create failed");
  return file;
}

std::string contents(int file) {
  struct stat status {};
  fstat(file, &status);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const auto read = pread(file, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read)));
  return text;
}

void limit(__rlimit_resource resource, std::uint64_t value) {
  if (value == 0) return;
  const rlimit both{value, value};
  setrlimit(resource, &both);
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const Settings& settings)
    : out_(memory_file()), err_(memory_file()), start_(std::chrono::steady_clock::now()) {
  // Everything that allocates happens before fork().
  std::vector<std::string> words{CRYOSCAPE_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto variables = settings.environment;
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  // Of two variables of one name programs find the first.
  for (char** variable = environ; *variable; ++variable) environment.push_back(*variable);
  environment.push_back(nullptr);
  const auto folder = settings.working_folder.string();
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A write beyond the limit then fails like one to a full disk, instead of killing the process.
  if (settings.file_size_limit) signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, settings.file_size_limit);
  limit(RLIMIT_NOFILE, settings.open_files_limit);
  limit(RLIMIT_DATA, settings.data_limit);
  if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(127);
  dup2(out_, STDOUT_FILENO), dup2(err_, STDERR_FILENO);
  execve(argv[0], argv.data(), environment.data());
  _exit(127);
}

Child::Child(Child&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      reaped_(other.reaped_),
      status_(other.status_),
      start_(other.start_) {}

Child::~Child() {
  if (process_ > 0 && !reaped_) {
    kill(process_, SIGKILL);
    waitpid(process_, &status_, 0);
  }
  for (const int file : {out_, err_})
    if (file >= 0) close(file);
}

void Child::send(int signal) const {
  if (!reaped_) kill(process_, signal);
}

std::vector<pid_t> Child::children() const {
  const auto id = std::to_string(process_);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> all;
  for (pid_t child; file >> child;) all.push_back(child);
  return all;
}

bool Child::ended() {
  if (!reaped_) reaped_ = waitpid(process_, &status_, WNOHANG) == process_;
  return reaped_;
}

bool Child::wait_for(const fs::path& file) {
  while (!fs::exists(file)) {
    if (ended()) return fs::exists(file);
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

bool Child::wait_for(const fs::path& folder, const std::string& prefix) {
  const auto there = [&] {
    std::error_code code;
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code))
      if (at->path().filename().string().starts_with(prefix)) return true;
    return false;
  };
  while (!there()) {
    if (ended()) return there();
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

Result Child::finish() {
  if (!reaped_) waitpid(process_, &status_, 0);
  reaped_ = true;
  Result result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  result.signalled = WIFSIGNALED(status_);
  result.exit_code = result.signalled ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  result.out = contents(out_), result.err = contents(err_);
  return result;
}

Result run(const std::vector<std::string>& arguments, const Settings& settings) {
  return Child(arguments, settings).finish();
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

}  // namespace cryoscape::program
