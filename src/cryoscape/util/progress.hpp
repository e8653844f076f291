#pragma once
#include <chrono>
#include <cstddef>
#include <string>

namespace cryoscape {

/// Progress of a long loop on standard error: a bar with rate and time left on a terminal, one plain line a
/// minute otherwise. Silent below the logger's info level.
class Progress {
 public:
  Progress(std::string label, std::size_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Adds to the count done; `note` (may be empty) is shown behind the rate.
  void advance(std::size_t done, const std::string& note = {});

 private:
  using Clock = std::chrono::steady_clock;
  void draw(bool last);

  std::string label_, unit_, note_;
  std::size_t total_, done_ = 0;
  Clock::time_point start_ = Clock::now(), drawn_ = start_;
  bool terminal_, drawn_once_ = false;
};

}  // namespace cryoscape
