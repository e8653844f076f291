#include "cryoscape/io/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::io {
namespace {

/// Reads the subset of Python literals that NPY headers are written in.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  NpyArray parse() {
    NpyArray array;
    bool fortran = false;
    expect('{');
    while (!accept('}')) {
      const auto key = string();
      expect(':');
      if (key == "descr")
        array.fields = description(array.record_size);
      else if (key == "fortran_order")
        fortran = word() == "True";
      else if (key == "shape")
        array.shape = shape();
      else
        broken();
      accept(',');
    }
    if (fortran && array.shape.size() > 1)
      fail("{}: Fortran-ordered arrays are not supported (save it with order='C')", path_.string());
    return array;
  }

 private:
  [[noreturn]] void broken() {
    fail("{}: the NPY header cannot be understood near '{}'", path_.string(),
         text_.substr(std::min(at_, text_.size()), 20));
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    blanks();
    if (at_ < text_.size() && text_[at_] == c) return ++at_, true;
    return false;
  }
  void expect(char c) {
    if (!accept(c)) broken();
  }
  std::string string() {
    blanks();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) broken();
    const auto end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) broken();
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  std::string word() {
    blanks();
    const auto begin = at_;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_]))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::vector<std::size_t> shape() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      auto digits = word();
      if (digits.ends_with('L')) digits.pop_back();  // Python 2 wrote long integers so
      if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) broken();
      values.push_back(std::stoull(digits));
      accept(',');
    }
    return values;
  }
  NpyField field(const std::string& name, const std::string& type) {
    NpyField f;
    f.name = name;
    if (type.size() < 2) broken();
    std::size_t skip = 0;
    if (!type.empty() && std::string("<>|=").find(type[0]) != std::string::npos) skip = 1;
    f.big_endian = type[0] == '>';
    f.type = type.substr(skip);
    const auto size = f.type.size() < 2 ? std::string_view() : std::string_view(f.type).substr(1);
    const bool text_type = f.type[0] == 'S' || f.type[0] == 'U';
    const bool known = text_type
                           ? size.size() < 8 && size.find_first_not_of("0123456789") == std::string_view::npos
                           : size == "1" || size == "2" || size == "4" || size == "8";
    if (size.empty() || !known || std::string("fiubSU").find(f.type[0]) == std::string::npos ||
        f.type == "f1")
      fail("{}: type '{}' is not supported", path_.string(), type);
    return f;
  }
  std::vector<NpyField> description(std::size_t& record_size) {
    std::vector<NpyField> fields;
    if (!accept('[')) {
      fields.push_back(field("", string()));
    } else {
      while (!accept(']')) {
        expect('(');
        const auto name = string();
        expect(',');
        auto f = field(name, string());
        if (accept(',')) {
          blanks();
          if (at_ < text_.size() && text_[at_] == '(') f.shape = shape();
        }
        for (auto n : f.shape) f.count *= n;
        expect(')');
        accept(',');
        fields.push_back(f);
      }
    }
    record_size = 0;
    for (auto& f : fields) {
      f.offset = record_size;
      record_size += f.item_size() * f.count;
    }
    return fields;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  std::size_t at_ = 0;
};

std::uint64_t raw_integer(const char* at, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[big_endian ? size - 1 - i : i]))
             << (8 * i);
  return value;
}

/// IEEE 754 binary16.
double half_precision(std::uint32_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  if (exponent == 31) value = fraction ? std::nan("") : INFINITY;
  return bits & 0x8000 ? -value : value;
}

std::string header_text(const std::string& description, const std::vector<std::size_t>& shape) {
  std::string dims;
  for (auto n : shape) dims += fmt::format("{}, ", n);
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.resize(dims.size() - 1);
  std::string text =
      fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': ({}), }}", description, dims);
  const bool large = text.size() + 11 > 65535;
  const std::size_t prefix = large ? 12 : 10;
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::string out = std::string("\x93NUMPY", 6) + char(large ? 2 : 1) + '\0';
  for (std::size_t i = 0; i < prefix - 8; ++i) out += static_cast<char>(text.size() >> (8 * i) & 255);
  return out + text;
}

}  // namespace

std::size_t NpyField::item_size() const {
  const std::size_t n = std::stoull(type.substr(1));
  return type[0] == 'U' ? 4 * n : n;
}

const NpyField* NpyArray::find(const std::string& name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const NpyField& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

double NpyArray::number(const NpyField& f, std::size_t row, std::size_t k) const {
  const std::size_t size = f.item_size();
  const auto raw = raw_integer(bytes.data() + row * record_size + f.offset + k * size,
                               std::min<std::size_t>(size, 8), f.big_endian);
  switch (f.type[0]) {
    case 'f':
      if (size == 2) return half_precision(static_cast<std::uint32_t>(raw));
      return size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(raw)) : std::bit_cast<double>(raw);
    case 'i': {
      const int shift = 64 - 8 * static_cast<int>(size);
      return static_cast<double>(static_cast<std::int64_t>(raw << shift) >> shift);
    }
    default:
      return static_cast<double>(raw);
  }
}

std::uint64_t NpyArray::unsigned_integer(const NpyField& f, std::size_t row) const {
  return raw_integer(bytes.data() + row * record_size + f.offset, std::min<std::size_t>(f.item_size(), 8),
                     f.big_endian);
}

std::string NpyArray::text(const NpyField& f, std::size_t row) const {
  const char* at = bytes.data() + row * record_size + f.offset;
  std::string value;
  const std::size_t step = f.type[0] == 'U' ? 4 : 1;
  for (std::size_t i = 0; i < f.item_size() && at[i] != '\0'; i += step) value += at[i];
  return value;
}

NpyArray read_npy(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(path))
    fail("cannot open {}: {}", path.string(), errno ? std::strerror(errno) : "not a file");
  char magic[8] = {};
  stream.read(magic, 8);
  if (stream && std::memcmp(magic,
                            "\x94"
                            "CSDAT",
                            6) == 0)
    fail(
        "{} is in cryoSPARC's compressed form: save it in NumPy's with cryosparc-tools "
        "(Dataset.save(format=NUMPY_FORMAT))",
        path.string());
  if (!stream || std::memcmp(magic, "\x93NUMPY", 6) != 0 || magic[6] < 1 || magic[6] > 3)
    fail("{} is not an NPY or .cs file", path.string());
  const std::size_t width = magic[6] == 1 ? 2 : 4;
  char length_bytes[4] = {};
  stream.read(length_bytes, static_cast<std::streamsize>(width));
  const auto file_size = std::filesystem::file_size(path);
  const std::size_t length = raw_integer(length_bytes, width, false);
  if (!stream || length > file_size) fail("{} is truncated in its header", path.string());
  std::string header(length, '\0');
  stream.read(header.data(), static_cast<std::streamsize>(length));
  auto array = HeaderParser(header, path).parse();
  std::size_t count = 1;
  const std::size_t available = file_size - std::min<std::size_t>(file_size, 8 + width + length);
  for (auto n : array.shape) {
    if (n > 0 && count > available / n)
      fail("{} is truncated: its header promises more than {} bytes", path.string(), available);
    count *= n;
  }
  if (array.record_size == 0 || count > available / array.record_size)
    fail("{} is truncated: {} bytes of data, but its header promises {} records of {}", path.string(),
         available, count, array.record_size);
  array.bytes.resize(count * array.record_size);
  stream.read(array.bytes.data(), static_cast<std::streamsize>(array.bytes.size()));
  if (!stream) fail("cannot read {}", path.string());
  return array;
}

FloatMatrix read_npy_matrix(const std::filesystem::path& path) {
  const auto array = read_npy(path);
  if (array.fields.size() != 1 || array.shape.empty() || array.shape.size() > 2 ||
      std::string("fiu").find(array.fields[0].type[0]) == std::string::npos)
    fail("{} must hold a one- or two-dimensional array of numbers", path.string());
  FloatMatrix m{array.shape[0], array.shape.size() == 2 ? array.shape[1] : 1, {}};
  m.values.resize(m.rows * m.columns);
  for (std::size_t i = 0; i < m.values.size(); ++i)
    m.values[i] = static_cast<float>(array.number(array.fields[0], i));
  return m;
}

void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               std::span<const float> values) {
  const auto header = header_text("'<f4'", shape);
  replace_file_stream(path, [&](std::ostream& stream) {
    stream << header;
    stream.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size_bytes()));
  });
}

void write_npy_rows(const std::filesystem::path& path, const NpyArray& like,
                    std::span<const std::uint32_t> rows) {
  std::string description = "[";
  for (const auto& f : like.fields) {
    std::string dims;
    for (auto n : f.shape) dims += fmt::format("{},", n);
    const char order = f.type[0] == 'S' || f.item_size() == 1 ? '|' : f.big_endian ? '>' : '<';
    description +=
        fmt::format("('{}', '{}{}'{}), ", f.name, order, f.type, f.shape.empty() ? "" : ", (" + dims + ")");
  }
  description += "]";
  replace_file_stream(path, [&](std::ostream& stream) {
    stream << header_text(description, {rows.size()});
    for (auto row : rows)
      stream.write(like.bytes.data() + row * like.record_size,
                   static_cast<std::streamsize>(like.record_size));
  });
}

}  // namespace cryoscape::io
