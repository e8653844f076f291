#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Runs the program as a child process.
namespace cryoscape::program {

/// What a finished child left.
struct Result {
  int exit_code = -1;      ///< 128 + signal if a signal ended it, as shells say it
  bool signalled = false;  ///< a signal ended it, rather than its own exit
  std::string out, err;
  double seconds = 0;
};

/// Limits and place of a child. 0 and empty: as this process.
struct Settings {
  std::filesystem::path working_folder;
  std::uint64_t file_size_limit = 0;  ///< bytes; what goes beyond fails as on a full disk
  std::uint64_t open_files_limit = 0;
  std::uint64_t data_limit = 0;          ///< bytes of memory of its own
  std::vector<std::string> environment;  ///< NAME=value, beside this process's own variables
};

/// A running child. It is killed if the object goes before it has ended.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments, const Settings& settings = {});
  ~Child();
  Child(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(int signal) const;
  /// Processes that it has started and that have not been waited for.
  std::vector<pid_t> children() const;
  /// Waits until `file` exists or the child has ended; whether it exists.
  bool wait_for(const std::filesystem::path& file);
  /// Waits until a file whose name begins with `prefix` is in `folder` or the child has ended; whether it is.
  bool wait_for(const std::filesystem::path& folder, const std::string& prefix);
  /// Waits for the end.
  Result finish();

 private:
  bool ended();

  pid_t process_ = -1;
  int out_ = -1, err_ = -1;  ///< files in memory
  bool reaped_ = false;
  int status_ = 0;
  std::chrono::steady_clock::time_point start_;
};

/// Runs the program to its end.
Result run(const std::vector<std::string>& arguments, const Settings& settings = {});

std::vector<std::string> lines(const std::string& text);

}  // namespace cryoscape::program
