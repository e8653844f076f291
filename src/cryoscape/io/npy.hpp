#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cryoscape::io {

/// One field of an NPY record: a name, numpy's type string without byte order ("f4", "i8", "u8", "S80", "b1")
/// and how many values.
struct NpyField {
  std::string name;
  std::string type;
  bool big_endian = false;
  std::size_t count = 1;  ///< product of the sub-array's shape
  std::vector<std::size_t> shape;
  std::size_t offset = 0;  ///< bytes from the record's start
  std::size_t item_size() const;
};

/// An array read from an NPY file (versions 1 to 3): a plain array has one field with an empty name.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<NpyField> fields;
  std::size_t record_size = 0;
  std::vector<char> bytes;

  std::size_t rows() const { return shape.empty() ? 1 : shape[0]; }
  const NpyField* find(const std::string& name) const;
  /// Value `k` of a field in a record as a number, or as text (fixed strings end at the first NUL).
  double number(const NpyField& field, std::size_t row, std::size_t k = 0) const;
  std::uint64_t unsigned_integer(const NpyField& field, std::size_t row) const;
  std::string text(const NpyField& field, std::size_t row) const;
};

/// Throws Error naming the file when it is missing, no NPY file, truncated, or of a type that is not
/// supported.
NpyArray read_npy(const std::filesystem::path& path);

/// A two-dimensional float array, converted from any numeric type.
struct FloatMatrix {
  std::size_t rows = 0, columns = 0;
  std::vector<float> values;
};
FloatMatrix read_npy_matrix(const std::filesystem::path& path);

/// Writes float32 in C order; beside and renamed.
void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               std::span<const float> values);

/// Writes records with the fields, order and bytes of `like`, only the given rows; beside and renamed.
void write_npy_rows(const std::filesystem::path& path, const NpyArray& like,
                    std::span<const std::uint32_t> rows);

}  // namespace cryoscape::io
