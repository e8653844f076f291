#pragma once
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cryoscape::io {

/// A table of a STAR file: the data block's name without "data_" and the labels without the leading
/// underscore. A block of key–value pairs is a table of one row, with is_list set.
struct StarTable {
  std::string name;
  std::vector<std::string> columns;
  bool is_list = false;

  /// Index of a column, −1 if absent.
  int column(std::string_view label) const;
};

using StarRow = std::span<const std::string_view>;

/// Callbacks of read_star. Views in a row are valid during the call only.
struct StarVisitor {
  /// A table begins. Returns whether its rows are wanted.
  std::function<bool(const StarTable&)> table;
  /// A row of it; `row` counts from 0.
  std::function<void(const StarTable&, StarRow fields, std::size_t row)> row;
};

/// Streams a STAR file (RELION's dialect: one row a line; comments, blank lines, quotes, CRLF, labels
/// numbered or not). Memory does not grow with the number of rows. Throws Error naming file and line when a
/// row has the wrong number of values or the file is no STAR file.
void read_star(const std::filesystem::path& path, const StarVisitor& visitor);

/// A small table held in memory.
struct StarData {
  StarTable table;
  std::vector<std::vector<std::string>> rows;
};

/// Reads the tables for which `wanted` returns true (all by default) into memory.
std::vector<StarData> read_star_tables(const std::filesystem::path& path,
                                       const std::function<bool(const StarTable&)>& wanted = {});

/// Writes a table's head (block name, loop_, numbered labels); rows follow by write_star_row.
void write_star_head(std::ostream& stream, const StarTable& table);
/// Writes one row; fields with blanks (or empty) are quoted.
void write_star_row(std::ostream& stream, StarRow fields);
/// Writes a block of key–value pairs whole.
void write_star_list(std::ostream& stream, const StarTable& table, StarRow fields);

}  // namespace cryoscape::io
