#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace cryoscape::particles {

/// Preprocessed images, kept in one file between passes over the particles. The file has no name: its space
/// is free again when the process ends, however it ends. Entries are numbered like the particles of the set.
/// One cache serves one set on one grid; any number of threads and loaders may share it. What cannot be
/// written or read back is simply not held.
class ImageCache {
 public:
  /// A cache with room for `entries` of `floats` values each, in a file in `folder`, which is made if it does
  /// not exist. Null, after a warning with the bytes needed and free, if there is too little space. Throws
  /// Error if the folder cannot be used.
  static std::shared_ptr<ImageCache> create(const std::filesystem::path& folder, std::size_t entries,
                                            std::size_t floats);
  ~ImageCache();
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;

  bool holds(std::size_t entry) const { return state(entry) == State::held; }
  /// Whether the particle's image was found to be unusable.
  bool unusable(std::size_t entry) const { return state(entry) == State::unusable; }
  void mark_unusable(std::size_t entry) { states_[entry] = State::unusable; }

  /// Keeps an entry of up to `floats` values, unless another thread is about to.
  void store(std::size_t entry, std::span<const float> values);
  /// Reads as many values as were stored; false if the entry is not held or cannot be read.
  bool read(std::size_t entry, std::span<float> values);
  /// Asks the system to begin reading an entry.
  void will_need(std::size_t entry) const;

 private:
  enum class State : unsigned char { absent, taken, held, unusable };

  ImageCache(std::filesystem::path folder, int file, std::size_t entries, std::size_t floats);
  State state(std::size_t entry) const { return states_[entry].load(std::memory_order_acquire); }
  void give_up(const char* verb);

  std::filesystem::path folder_;
  int file_;
  std::size_t bytes_;  ///< room of an entry
  std::unique_ptr<std::atomic<State>[]> states_;
  std::atomic<bool> usable_{true};
};

}  // namespace cryoscape::particles
