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
#include "cryoscape/util/files.hpp"

namespace cryoscape::io {
namespace fs = std::filesystem;
namespace {

constexpr int kHeaderBytes = 1024;

/// Reads exactly `bytes` at `offset`, or throws naming the path.
void read_exactly(int file, void* out, std::size_t bytes, std::int64_t offset, const fs::path& path) {
  auto* at = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = pread(file, at, bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
    if (got == 0)
      fail("{} is truncated: it ends at byte {}, but {} bytes more are needed (copy it again)", path.string(),
           offset, bytes);
    at += got, bytes -= got, offset += got;
  }
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

template <class T>
void put(char* header, int word, T value) {
  std::memcpy(header + 4 * (word - 1), &value, sizeof(T));
}

struct Statistics {
  double minimum = 0, maximum = 0, mean = 0, deviation = 0;
};

std::array<char, kHeaderBytes> make_header(int nx, int ny, int nz, double pixel_size,
                                           const std::array<double, 3>& origin, bool volume,
                                           const Statistics& statistics) {
  std::array<char, kHeaderBytes> h{};
  put<std::int32_t>(h.data(), 1, nx), put<std::int32_t>(h.data(), 2, ny), put<std::int32_t>(h.data(), 3, nz);
  put<std::int32_t>(h.data(), 4, 2);
  put<std::int32_t>(h.data(), 8, nx), put<std::int32_t>(h.data(), 9, ny),
      put<std::int32_t>(h.data(), 10, volume ? nz : 1);
  put<float>(h.data(), 11, static_cast<float>(nx * pixel_size)),
      put<float>(h.data(), 12, static_cast<float>(ny * pixel_size));
  put<float>(h.data(), 13, static_cast<float>((volume ? nz : 1) * pixel_size));
  for (int k = 0; k < 3; ++k) put<float>(h.data(), 14 + k, 90.0f), put<std::int32_t>(h.data(), 17 + k, k + 1);
  put<float>(h.data(), 20, static_cast<float>(statistics.minimum));
  put<float>(h.data(), 21, static_cast<float>(statistics.maximum));
  put<float>(h.data(), 22, static_cast<float>(statistics.mean));
  put<std::int32_t>(h.data(), 23, volume ? 1 : 0);
  put<std::int32_t>(h.data(), 28, 20140);
  for (int k = 0; k < 3; ++k) put<float>(h.data(), 50 + k, static_cast<float>(origin[k]));
  std::memcpy(h.data() + 208, "MAP ", 4);
  const unsigned char stamp[4] = {0x44, 0x44, 0, 0};
  std::memcpy(h.data() + 212, stamp, 4);
  put<float>(h.data(), 55, static_cast<float>(statistics.deviation));
  return h;
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

void write_mrc(const fs::path& path, const Volume& v) {
  if (v.data.size() != static_cast<std::size_t>(v.nx) * v.ny * v.nz)
    throw std::logic_error("write_mrc: sizes differ");
  Statistics s{1e30, -1e30, 0, 0};
  double square = 0;
  for (float x : v.data) {
    s.minimum = std::min<double>(s.minimum, x), s.maximum = std::max<double>(s.maximum, x);
    s.mean += x, square += static_cast<double>(x) * x;
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, v.data.size()));
  s.mean /= n;
  s.deviation = std::sqrt(std::max(0.0, square / n - s.mean * s.mean));
  const auto header = make_header(v.nx, v.ny, v.nz, v.pixel_size, v.origin, true, s);
  replace_file_stream(path, [&](std::ostream& stream) {
    stream.write(header.data(), header.size());
    stream.write(reinterpret_cast<const char*>(v.data.data()),
                 static_cast<std::streamsize>(v.data.size() * sizeof(float)));
  });
}

struct StackReader::File {
  explicit File(const fs::path& p)
      : path(p), descriptor(p), header(header_of(descriptor, p)), image_bytes(image_size(header)) {}
  static std::int64_t image_size(const MrcHeader& h) {
    return static_cast<std::int64_t>(h.nx) * h.ny * mrc_bytes_per_value(h.mode);
  }
  std::int64_t offset(std::int64_t slice) const { return header.data_offset + slice * image_bytes; }

  fs::path path;
  Descriptor descriptor;
  MrcHeader header;
  std::int64_t image_bytes;
};

StackReader::StackReader(int max_open) : max_open_(std::max(1, max_open)) {}
StackReader::~StackReader() = default;

std::shared_ptr<StackReader::File> StackReader::find(const fs::path& path) {
  const auto found = by_path_.find(path.native());
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front();
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
  recent_.push_front(file);
  by_path_[path.native()] = recent_.begin();
  if (recent_.size() > max_open_) {
    by_path_.erase(recent_.back()->path.native());
    recent_.pop_back();
  }
  return file;
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
  const int descriptor = file->descriptor.value;
  if (h.mode == 2 && !h.swapped)
    return read_exactly(descriptor, out.data(), file->image_bytes, file->offset(slice), path);
  thread_local std::vector<char> raw;
  raw.resize(file->image_bytes);
  read_exactly(descriptor, raw.data(), raw.size(), file->offset(slice), path);
  decode_values(raw.data(), h, out);
}

void StackReader::will_need(const fs::path& path, std::int64_t slice) {
  const auto file = open(path);
  if (slice < 0 || slice >= file->header.nz) return;
  posix_fadvise(file->descriptor.value, file->offset(slice), file->image_bytes, POSIX_FADV_WILLNEED);
}

StackWriter::StackWriter(fs::path path, int box, double pixel_size)
    : path_(std::move(path)), temporary_(path_), box_(box), pixel_size_(pixel_size) {
  temporary_ += "." + std::to_string(getpid()) + ".part";
  std::error_code code;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) fail("cannot write {}: {}", path_.string(), std::strerror(errno));
  const std::array<char, kHeaderBytes> blank{};
  write(blank.data(), blank.size());
}

StackWriter::~StackWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void StackWriter::write(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t done = ::write(file_, at, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot write {}: {}", path_.string(), std::strerror(errno));
    at += done, bytes -= done;
  }
}

void StackWriter::append(std::span<const float> image) {
  if (image.size() != static_cast<std::size_t>(box_) * box_)
    throw std::logic_error("StackWriter: image of another size");
  for (float x : image) {
    minimum_ = std::min<double>(minimum_, x), maximum_ = std::max<double>(maximum_, x);
    sum_ += x, square_ += static_cast<double>(x) * x;
  }
  write(image.data(), image.size() * sizeof(float));
  ++count_;
}

void StackWriter::close() {
  const double n = std::max(1.0, static_cast<double>(count_) * box_ * box_), mean = sum_ / n;
  const Statistics s{minimum_, maximum_, mean, std::sqrt(std::max(0.0, square_ / n - mean * mean))};
  const auto header = make_header(box_, box_, count_, pixel_size_, {}, false, s);
  if (lseek(file_, 0, SEEK_SET) != 0) fail("cannot write {}: {}", path_.string(), std::strerror(errno));
  write(header.data(), header.size());
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary_.c_str());
    fail("cannot write {}: {}", path_.string(), std::strerror(reason));
  }
}

}  // namespace cryoscape::io
