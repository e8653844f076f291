#include "cryoscape/io/mrc.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "cryoscape/util/error.hpp"

namespace cryoscape::io {
namespace fs = std::filesystem;
namespace {

constexpr int kHeaderBytes = 1024;

/// Bytes read: fewer than asked for only where the file ends; −1 after an error, with errno set.
std::int64_t read_fully(const ReadFunction& read, int file, void* out, std::size_t bytes,
                        std::int64_t offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        read(file, static_cast<char*>(out) + done, bytes - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

/// Reads exactly `bytes` at `offset`, or throws naming the path.
void read_exactly(int file, void* out, std::size_t bytes, std::int64_t offset, const fs::path& path) {
  const auto got = read_fully(pread, file, out, bytes, offset);
  if (got < 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  if (static_cast<std::size_t>(got) < bytes)
    fail("{} is truncated: it ends at byte {}, but {} bytes more are needed (copy it again)", path.string(),
         offset + got, static_cast<std::int64_t>(bytes) - got);
}

template <class T>
T swap_bytes(T value) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  std::reverse(bytes.begin(), bytes.end());
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <class T>
T header_value(const char* header, int word, bool swapped) {
  T value;
  std::memcpy(&value, header + 4 * (word - 1), sizeof(T));
  return swapped ? swap_bytes(value) : value;
}

/// The byte order is the one in which sizes and mode make sense; old files carry no reliable machine stamp.
bool plausible(const char* header, bool swapped) {
  const int mode = header_value<std::int32_t>(header, 4, swapped);
  for (int word : {1, 2, 3}) {
    const int n = header_value<std::int32_t>(header, word, swapped);
    if (n <= 0 || n > (1 << 28)) return false;
  }
  return mode >= 0 && mode <= 200;
}

MrcHeader parse_header(const char* bytes, std::int64_t file_size, const fs::path& path) {
  MrcHeader h;
  if (!plausible(bytes, false)) {
    if (!plausible(bytes, true)) fail("{} is not an MRC file: its header makes no sense", path.string());
    h.swapped = true;
  }
  const auto integer = [&](int word) { return header_value<std::int32_t>(bytes, word, h.swapped); };
  const auto real = [&](int word) {
    return static_cast<double>(header_value<float>(bytes, word, h.swapped));
  };
  h.nx = integer(1), h.ny = integer(2), h.nz = integer(3), h.mode = integer(4);
  const int mx = integer(8);
  if (mx > 0 && real(11) > 0) h.pixel_size = real(11) / mx;
  const int extended = integer(24);
  if (extended < 0) fail("{}: the extended header has a negative size", path.string());
  h.data_offset = kHeaderBytes + static_cast<std::int64_t>(extended);
  auto axes = std::array<int, 3>{integer(17) - 1, integer(18) - 1, integer(19) - 1}, sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  // Sloppy writers leave these words empty.
  if (sorted == h.axes) h.axes = axes;
  for (int k = 0; k < 3; ++k) {
    h.origin[k] = real(50 + k);
    if (!std::isfinite(h.origin[k])) h.origin[k] = 0;
  }
  if (h.origin == std::array<double, 3>{})
    for (int k = 0; k < 3; ++k) h.origin[h.axes[k]] = integer(5 + k) * h.pixel_size;
  const std::int64_t need =
      h.data_offset + static_cast<std::int64_t>(h.nx) * h.ny * h.nz * mrc_bytes_per_value(h.mode);
  if (file_size < need)
    fail("{} is truncated: {} bytes, but its header promises {} (copy it again)", path.string(), file_size,
         need);
  return h;
}

float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16, exponent = (h >> 10) & 31u,
                      mantissa = h & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent == 0) return (h & 0x8000u ? -1.0f : 1.0f) * static_cast<float>(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

template <class T, class Convert>
void convert(const char* raw, std::span<float> out, bool swapped, Convert to_float) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, raw + i * sizeof(T), sizeof(T));
    out[i] = to_float(swapped ? swap_bytes(value) : value);
  }
}

void decode_values(const char* raw, const MrcHeader& h, std::span<float> out) {
  const auto cast = [](auto v) { return static_cast<float>(v); };
  switch (h.mode) {
    case 0:
      return convert<std::int8_t>(raw, out, false, cast);
    case 1:
      return convert<std::int16_t>(raw, out, h.swapped, cast);
    case 2:
      return convert<float>(raw, out, h.swapped, cast);
    case 6:
      return convert<std::uint16_t>(raw, out, h.swapped, cast);
    default:
      return convert<std::uint16_t>(raw, out, h.swapped, half_to_float);
  }
}

/// An open descriptor that closes itself.
struct Descriptor {
  explicit Descriptor(const fs::path& path) : value(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (value < 0) fail("cannot open {}: {}", path.string(), std::strerror(errno));
  }
  ~Descriptor() { ::close(value); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value;
};

MrcHeader header_of(const Descriptor& file, const fs::path& path) {
  struct stat status {};
  if (fstat(file.value, &status) != 0 || !S_ISREG(status.st_mode))
    fail("{} is not a regular file", path.string());
  if (status.st_size < kHeaderBytes)
    fail("{} is not an MRC file: only {} bytes", path.string(), status.st_size);
  std::array<char, kHeaderBytes> bytes;
  read_exactly(file.value, bytes.data(), bytes.size(), 0, path);
  return parse_header(bytes.data(), status.st_size, path);
}

}  // namespace

int mrc_bytes_per_value(int mode) {
  switch (mode) {
    case 0:
      return 1;
    case 1:
    case 6:
    case 12:
      return 2;
    case 2:
      return 4;
    default:
      fail("MRC mode {} is not supported (0, 1, 2, 6 and 12 are): convert the file to mode 2", mode);
  }
}

MrcHeader read_mrc_header(const fs::path& path) { return header_of(Descriptor(path), path); }

namespace {

/// Brings columns, rows and sections along `axes` into the order x, y, z.
Volume reorder(Volume v, const std::array<int, 3>& axes) {
  if (axes == std::array<int, 3>{0, 1, 2}) return v;
  const std::array<int, 3> from{v.nx, v.ny, v.nz};
  std::array<int, 3> to, at;
  for (int k = 0; k < 3; ++k) to[axes[k]] = from[k];
  std::vector<float> data(v.data.size());
  std::size_t i = 0;
  for (int section = 0; section < from[2]; ++section)
    for (int row = 0; row < from[1]; ++row)
      for (int column = 0; column < from[0]; ++column) {
        at[axes[0]] = column, at[axes[1]] = row, at[axes[2]] = section;
        data[(static_cast<std::size_t>(at[2]) * to[1] + at[1]) * to[0] + at[0]] = v.data[i++];
      }
  return {to[0], to[1], to[2], v.pixel_size, v.origin, std::move(data)};
}

}  // namespace

Volume read_mrc_volume(const fs::path& path) {
  const Descriptor file(path);
  const auto h = header_of(file, path);
  Volume v{h.nx, h.ny, h.nz, h.pixel_size, h.origin, {}};
  v.data.resize(static_cast<std::size_t>(h.nx) * h.ny * h.nz);
  std::vector<char> raw(v.data.size() * mrc_bytes_per_value(h.mode));
  read_exactly(file.value, raw.data(), raw.size(), h.data_offset, path);
  decode_values(raw.data(), h, v.data);
  return reorder(std::move(v), h.axes);
}

struct StackReader::File {
  explicit File(const fs::path& p)
      : path(p),
        descriptor(p),
        header(header_of(descriptor, p)),
        version(version_of(p)),
        image_bytes(image_size(header)) {}
  static std::int64_t image_size(const MrcHeader& h) {
    return static_cast<std::int64_t>(h.nx) * h.ny * mrc_bytes_per_value(h.mode);
  }
  std::int64_t offset(std::int64_t slice) const { return header.data_offset + slice * image_bytes; }

  fs::path path;
  Descriptor descriptor;
  MrcHeader header;
  Version version;
  std::int64_t image_bytes;
};

StackReader::StackReader(int max_open) : StackReader(max_open, pread) {}
StackReader::StackReader(int max_open, ReadFunction read)
    : max_open_(std::max(1, max_open)), read_(std::move(read)) {}
StackReader::~StackReader() = default;

std::shared_ptr<StackReader::File> StackReader::find(const fs::path& path) {
  const auto found = by_path_.find(path.native());
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front();
}

/// Inode numbers are left out: some network file systems change them.
StackReader::Version StackReader::version_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    fail("{} cannot be read any more: {}", path.string(), std::strerror(errno));
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void StackReader::expect_same(const fs::path& path, const Version& before, const Version& now) {
  if (now.size < before.size)
    fail("{} is truncated: it had {} bytes when it was opened and has {} now (put the stack back)",
         path.string(), before.size, now.size);
  if (now != before)
    fail("{} was changed or replaced while it was in use (put the stack back as it was)", path.string());
}

void StackReader::check_unchanged(const fs::path& path) {
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(mutex_);
    file = find(path);
  }
  if (file) expect_same(path, file->version, version_of(path));
}

std::shared_ptr<StackReader::File> StackReader::open(const fs::path& path) {
  {
    std::lock_guard lock(mutex_);
    if (auto file = find(path)) return file;
  }
  // Opening may wait for a network: other threads go on reading meanwhile.
  auto file = std::make_shared<File>(path);
  std::lock_guard lock(mutex_);
  if (auto other = find(path)) return other;
  expect_same(path, versions_.try_emplace(path.native(), file->version).first->second, file->version);
  recent_.push_front(file);
  by_path_[path.native()] = recent_.begin();
  if (recent_.size() > max_open_) {
    by_path_.erase(recent_.back()->path.native());
    recent_.pop_back();
  }
  return file;
}

void StackReader::read_bytes(const File& file, std::int64_t slice, void* out) {
  const auto got = read_fully(read_, file.descriptor.value, out, static_cast<std::size_t>(file.image_bytes),
                              file.offset(slice));
  if (got == file.image_bytes) return;
  if (got < 0)
    fail("cannot read image {} of {}: {} (check its disk or network)", slice + 1, file.path.string(),
         std::strerror(errno));
  expect_same(file.path, file.version, version_of(file.path));
  fail("image {} of {} ends after {} of {} bytes (copy the stack again)", slice + 1, file.path.string(), got,
       file.image_bytes);
}

MrcHeader StackReader::header(const fs::path& path) { return open(path)->header; }

void StackReader::read(const fs::path& path, std::int64_t slice, std::span<float> out) {
  const auto file = open(path);
  const auto& h = file->header;
  if (slice < 0 || slice >= h.nz)
    fail("{} has {} images, but image {} is asked for", path.string(), h.nz, slice + 1);
  if (out.size() != static_cast<std::size_t>(h.nx) * h.ny)
    fail("{} has images of {} x {} = {} pixels, but {} are expected: it is not the stack of these particles",
         path.string(), h.nx, h.ny, static_cast<std::int64_t>(h.nx) * h.ny, out.size());
  if (h.mode == 2 && !h.swapped) return read_bytes(*file, slice, out.data());
  thread_local std::vector<char> raw;
  raw.resize(file->image_bytes);
  read_bytes(*file, slice, raw.data());
  decode_values(raw.data(), h, out);
}

void StackReader::will_need(const fs::path& path, std::int64_t slice) {
  const auto file = open(path);
  if (slice < 0 || slice >= file->header.nz) return;
  posix_fadvise(file->descriptor.value, file->offset(slice), file->image_bytes, POSIX_FADV_WILLNEED);
}

}  // namespace cryoscape::io
