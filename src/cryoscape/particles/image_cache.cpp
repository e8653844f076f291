#include "cryoscape/particles/image_cache.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/memory.hpp"

namespace cryoscape::particles {
namespace fs = std::filesystem;
namespace {

constexpr double kShare = 0.9;  ///< of the free space: a run's own files often lie on the same disk

/// Bytes that a new file in the folder may take.
double free_bytes(const fs::path& folder) {
  std::error_code code;
  const auto space = fs::space(folder, code);
  if (code) fail("--cache {}: {}", folder.string(), code.message());
  auto bytes = static_cast<double>(space.available);
  rlimit largest{};
  if (getrlimit(RLIMIT_FSIZE, &largest) == 0 && largest.rlim_cur != RLIM_INFINITY)
    bytes = std::min(bytes, static_cast<double>(largest.rlim_cur));
  return bytes;
}

/// An open file without a name.
int nameless_file(const fs::path& folder) {
  auto name = (folder / "cryoscape-cache-XXXXXX").string();
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) fail("cannot write into --cache {}: {}", folder.string(), std::strerror(errno));
  unlink(name.c_str());
  return file;
}

void warn_of_space(const fs::path& folder, double needed, double available) {
  spdlog::warn(
      "warning: --cache {} is not used: the images need {} ({:.0f} bytes), but {} ({:.0f} bytes) are free, "
      "of "
      "which nine tenths may be taken: they are read from their stacks in every epoch",
      folder.string(), format_bytes(needed), needed, format_bytes(available), available);
}

}  // namespace

std::shared_ptr<ImageCache> ImageCache::create(const fs::path& folder, std::size_t entries,
                                               std::size_t floats) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("cannot make the folder --cache {}: {}", folder.string(), code.message());
  const double needed = static_cast<double>(entries) * static_cast<double>(floats * sizeof(float)),
               available = free_bytes(folder);
  if (needed > kShare * available) {
    warn_of_space(folder, needed, available);
    return nullptr;
  }
  auto cache = std::shared_ptr<ImageCache>(new ImageCache(folder, nameless_file(folder), entries, floats));
  // Reserves the space where the file system can: others may take it otherwise, or a quota may not allow it.
  if (entries > 0 && fallocate(cache->file_, 0, 0, static_cast<off_t>(entries * cache->bytes_)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    warn_of_space(folder, needed, free_bytes(folder));
    return nullptr;
  }
  spdlog::info("images are kept in {} from the first epoch on: up to {}", folder.string(),
               format_bytes(needed));
  return cache;
}

ImageCache::ImageCache(fs::path folder, int file, std::size_t entries, std::size_t floats)
    : folder_(std::move(folder)),
      file_(file),
      bytes_(floats * sizeof(float)),
      states_(std::make_unique<std::atomic<State>[]>(entries)) {}

ImageCache::~ImageCache() { ::close(file_); }

void ImageCache::store(std::size_t entry, std::span<const float> values) {
  auto expected = State::absent;
  if (!usable_ || !states_[entry].compare_exchange_strong(expected, State::taken)) return;
  const auto* at = reinterpret_cast<const char*>(values.data());
  const std::size_t bytes = values.size_bytes();
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pwrite(file_, at + done, bytes - done, static_cast<off_t>(entry * bytes_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return give_up("written");
    done += static_cast<std::size_t>(n);
  }
  states_[entry].store(State::held, std::memory_order_release);
}

bool ImageCache::read(std::size_t entry, std::span<float> values) {
  if (!holds(entry) || !usable_) return false;
  auto* at = reinterpret_cast<char*>(values.data());
  const std::size_t bytes = values.size_bytes();
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pread(file_, at + done, bytes - done, static_cast<off_t>(entry * bytes_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      give_up("read");
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  return true;
}

void ImageCache::will_need(std::size_t entry) const {
  posix_fadvise(file_, static_cast<off_t>(entry * bytes_), static_cast<off_t>(bytes_), POSIX_FADV_WILLNEED);
}

void ImageCache::give_up(const char* verb) {
  const int reason = errno;
  if (usable_.exchange(false))
    spdlog::warn("warning: the images in --cache {} cannot be {} ({}): they are read from their stacks again",
                 folder_.string(), verb, std::strerror(reason));
}

}  // namespace cryoscape::particles
