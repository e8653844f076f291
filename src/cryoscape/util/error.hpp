#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace cryoscape {

/// Every failure that a user can cause: the message is one line that names the file, row or option at fault
/// and what to do. The program prints it and exits 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Wrong usage of the command line (unknown option, value out of range): the program exits 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// The user (SIGINT, SIGTERM) asked a long operation to end; `signal` gives the exit code 128 + signal.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal_number, const std::string& message)
      : Error(message), signal(signal_number) {}
  int signal;
};

/// Throws Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cryoscape
