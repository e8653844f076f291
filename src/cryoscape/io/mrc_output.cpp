#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ostream>
#include <stdexcept>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::io {
namespace fs = std::filesystem;
namespace {

constexpr int kHeaderBytes = 1024;

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
