#include "cryoscape/util/progress.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace cryoscape {
namespace {

std::string duration(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s >= 3600) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  if (s >= 60) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}s", s);
}

/// Whether anything at info level would be shown on standard error.
bool shown() {
  const auto& sinks = spdlog::default_logger()->sinks();
  return !sinks.empty() && sinks.front()->should_log(spdlog::level::info);
}

}  // namespace

Progress::Progress(std::string label, std::size_t total, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)), total_(total), terminal_(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (drawn_once_ && terminal_) draw(true);
}

void Progress::advance(std::size_t done, const std::string& note) {
  done_ += done;
  if (!note.empty()) note_ = note;
  const auto now = Clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(60000);
  if (now - drawn_ < interval) return;
  drawn_ = now;
  draw(false);
}

void Progress::draw(bool last) {
  if (!shown()) return;
  drawn_once_ = true;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = static_cast<double>(done_) / std::max(seconds, 1e-9);
  const double left = rate > 0 ? static_cast<double>(total_ - std::min(done_, total_)) / rate : 0;
  const double share = total_ ? static_cast<double>(done_) / static_cast<double>(total_) : 1.0;
  const auto text = fmt::format("{} {:3.0f} %  {:.0f} {}/s  {} left  {}", label_, 100 * share, rate, unit_,
                                duration(left), note_);
  if (terminal_) {
    const int filled = static_cast<int>(std::min(1.0, share) * 24);
    fmt::print(stderr, "\r\033[K[{:-<24}] {}{}", std::string(filled, '#'), text, last ? "\n" : "");
    std::fflush(stderr);
  } else if (!last) {
    spdlog::info("{}", text);
  }
}

}  // namespace cryoscape
