#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace cryoscape::io {

/// What an MRC file's header says (MRC2014). Sizes in pixels, lengths in Å.
struct MrcHeader {
  int nx = 0, ny = 0, nz = 0;
  int mode = 2;                      ///< 0 int8, 1 int16, 2 float32, 6 uint16, 12 float16
  double pixel_size = 0;             ///< 0 where the header has none
  std::array<double, 3> origin{};    ///< ORIGIN, else nXstart · pixel size
  std::array<int, 3> axes{0, 1, 2};  ///< which of x, y, z the file's columns, rows and sections run along
  bool swapped = false;              ///< the other byte order
  std::int64_t data_offset = 1024;   ///< header and extended header
};

/// Bytes of one value of a mode. Throws Error for a mode that is not supported.
int mrc_bytes_per_value(int mode);

/// Reads and checks a header. Throws Error when the file is missing, no MRC, of an unsupported mode, or
/// shorter than its header says.
MrcHeader read_mrc_header(const std::filesystem::path& path);

/// A map: data[(z·ny + y)·nx + x].
struct Volume {
  int nx = 0, ny = 0, nz = 0;
  double pixel_size = 1;
  std::array<double, 3> origin{};
  std::vector<float> data;
};

/// Reads a map, whatever the order of its axes in the file. Throws Error as read_mrc_header does.
Volume read_mrc_volume(const std::filesystem::path& path);

/// Writes mode 2; beside and renamed.
void write_mrc(const std::filesystem::path& path, const Volume& volume);

/// pread(2), or what stands for it in a test.
using ReadFunction = std::function<ssize_t(int file, void* out, std::size_t bytes, off_t offset)>;

/// Reads single images out of any number of stacks through at most `max_open` open files. Remembers size and
/// time of last change of every stack: one that is not what it was when first opened is an error, not other
/// data. Thread-safe.
class StackReader {
 public:
  explicit StackReader(int max_open = 256);
  StackReader(int max_open, ReadFunction read);
  ~StackReader();

  /// Header of a stack (cached).
  MrcHeader header(const std::filesystem::path& path);
  /// Reads image `slice` (0-based) into `out` (nx·ny). Throws Error naming file and slice when it does not
  /// exist or cannot be read, or when the stack was truncated or replaced.
  void read(const std::filesystem::path& path, std::int64_t slice, std::span<float> out);
  /// Asks the system to begin reading image `slice`, which is about to be read. Wrong slices are left to
  /// read() to report.
  void will_need(const std::filesystem::path& path, std::int64_t slice);
  /// Throws Error if a stack that is open was changed, replaced or removed meanwhile.
  void check_unchanged(const std::filesystem::path& path);

 private:
  struct File;
  struct Version {
    std::int64_t size = 0, seconds = 0, nanoseconds = 0;
    bool operator==(const Version&) const = default;
  };
  static Version version_of(const std::filesystem::path& path);
  static void expect_same(const std::filesystem::path& path, const Version& before, const Version& now);
  void read_bytes(const File& file, std::int64_t slice, void* out);
  std::shared_ptr<File> open(const std::filesystem::path& path);
  std::shared_ptr<File> find(
      const std::filesystem::path& path);  ///< null where it is not open; mutex_ is held

  std::size_t max_open_;
  ReadFunction read_;
  std::mutex mutex_;
  std::list<std::shared_ptr<File>> recent_;  ///< most recently used first
  std::unordered_map<std::string, std::list<std::shared_ptr<File>>::iterator> by_path_;
  std::unordered_map<std::string, Version> versions_;  ///< of every stack, also of those closed again
};

/// Writes a stack image by image (mode 2), beside and renamed by close(). Without close() nothing is left
/// behind.
class StackWriter {
 public:
  StackWriter(std::filesystem::path path, int box, double pixel_size);
  ~StackWriter();
  StackWriter(const StackWriter&) = delete;
  StackWriter& operator=(const StackWriter&) = delete;

  void append(std::span<const float> image);
  void close();

 private:
  void write(const void* data, std::size_t bytes);

  std::filesystem::path path_, temporary_;
  int box_, file_ = -1, count_ = 0;
  double pixel_size_;
  double minimum_ = 1e30, maximum_ = -1e30, sum_ = 0, square_ = 0;
};

}  // namespace cryoscape::io
