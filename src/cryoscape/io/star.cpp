#include "cryoscape/io/star.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <ostream>

#include "cryoscape/util/error.hpp"

namespace cryoscape::io {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Splits a line into fields; a quote opens only at a field's start and closes only before a blank or the
/// end.
void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t i = 0;
  while (i < line.size()) {
    while (i < line.size() && is_blank(line[i])) ++i;
    if (i == line.size() || line[i] == '#') return;
    const char quote = line[i];
    if (quote == '"' || quote == '\'') {
      std::size_t end = i + 1;
      while (end < line.size() &&
             !(line[end] == quote && (end + 1 == line.size() || is_blank(line[end + 1]))))
        ++end;
      if (end < line.size()) {
        fields.push_back(line.substr(i + 1, end - i - 1));
        i = end + 1;
        continue;
      }
    }
    std::size_t end = i;
    while (end < line.size() && !is_blank(line[end])) ++end;
    fields.push_back(line.substr(i, end - i));
    i = end;
  }
}

/// Parser state: which block, whether inside a loop's labels or rows.
class Parser {
 public:
  Parser(const std::filesystem::path& path, const StarVisitor& visitor) : path_(path), visitor_(visitor) {}

  void run() {
    errno = 0;
    std::vector<char> buffer(1 << 20);
    std::ifstream stream;
    stream.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    stream.open(path_, std::ios::binary);
    if (!stream || !std::filesystem::is_regular_file(path_))
      fail("cannot open {}: {}", path_.string(), errno ? std::strerror(errno) : "not a file");
    std::string text;
    while (std::getline(stream, text)) {
      if (++line_ == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte order mark
      handle(text);
    }
    if (stream.bad()) fail("cannot read {}: {}", path_.string(), std::strerror(errno));
    finish_block();
    if (!seen_block_) fail("{} is not a STAR file: it has no data_ block", path_.string());
  }

 private:
  enum class State { outside, labels, rows, list };

  void handle(std::string_view text) {
    split(text, fields_);
    if (fields_.empty()) return;
    const auto first = fields_[0];
    if (first.starts_with("data_") && fields_.size() == 1) return begin_block(first.substr(5));
    if (first == "loop_" && fields_.size() == 1) {
      finish_block();
      table_.columns.clear();
      table_.is_list = false;
      state_ = State::labels;
      return;
    }
    if (!seen_block_)
      fail("{}:{}: not a STAR file: text before the first data_ block", path_.string(), line_);
    if (first.starts_with('_') && state_ != State::rows) return label(first.substr(1));
    row();
  }

  void begin_block(std::string_view name) {
    finish_block();
    table_ = {std::string(name), {}, false};
    state_ = State::outside;
    seen_block_ = true;
  }

  void label(std::string_view name) {
    if (state_ == State::labels) {
      table_.columns.emplace_back(name);
      return;
    }
    state_ = State::list;
    table_.is_list = true;
    table_.columns.emplace_back(name);
    list_values_.emplace_back(fields_.size() > 1 ? fields_[1] : std::string_view());
  }

  void row() {
    if (state_ == State::labels) {
      state_ = State::rows;
      row_ = 0;
      wanted_ = announce();
    }
    if (state_ != State::rows) fail("{}:{}: a row outside of any loop_", path_.string(), line_);
    if (fields_.size() != table_.columns.size())
      fail("{}:{}: {} values in a table of {} columns", path_.string(), line_, fields_.size(),
           table_.columns.size());
    if (wanted_ && visitor_.row) visitor_.row(table_, fields_, row_);
    ++row_;
  }

  bool announce() { return !visitor_.table || visitor_.table(table_); }

  void finish_block() {
    if (state_ == State::list) {
      const std::vector<std::string_view> values(list_values_.begin(), list_values_.end());
      if (announce() && visitor_.row) visitor_.row(table_, values, 0);
      list_values_.clear();
    } else if (state_ == State::labels) {
      announce();  // a table without rows is still there
    }
    state_ = State::outside;
  }

  const std::filesystem::path& path_;
  const StarVisitor& visitor_;
  State state_ = State::outside;
  StarTable table_;
  std::vector<std::string_view> fields_;
  std::vector<std::string> list_values_;
  std::size_t line_ = 0, row_ = 0;
  bool wanted_ = false, seen_block_ = false;
};

}  // namespace

int StarTable::column(std::string_view label) const {
  const auto found = std::find(columns.begin(), columns.end(), label);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

void read_star(const std::filesystem::path& path, const StarVisitor& visitor) { Parser(path, visitor).run(); }

std::vector<StarData> read_star_tables(const std::filesystem::path& path,
                                       const std::function<bool(const StarTable&)>& wanted) {
  std::vector<StarData> tables;
  StarVisitor visitor;
  visitor.table = [&](const StarTable& table) {
    if (wanted && !wanted(table)) return false;
    tables.push_back({table, {}});
    return true;
  };
  visitor.row = [&](const StarTable&, StarRow fields, std::size_t) {
    tables.back().rows.emplace_back(fields.begin(), fields.end());
  };
  read_star(path, visitor);
  return tables;
}

void write_star_head(std::ostream& stream, const StarTable& table) {
  stream << "\ndata_" << table.name << "\n\nloop_\n";
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    stream << '_' << table.columns[i] << " #" << i + 1 << '\n';
}

namespace {

void write_field(std::ostream& stream, std::string_view field) {
  const bool quote = field.empty() || field.find_first_of(" \t#") != std::string_view::npos;
  if (!quote) {
    stream << field;
    return;
  }
  // A quote inside is harmless unless a blank follows it.
  const char mark = field.find("\" ") == std::string_view::npos ? '"' : '\'';
  stream << mark << field << mark;
}

}  // namespace

void write_star_row(std::ostream& stream, StarRow fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i) stream << ' ';
    write_field(stream, fields[i]);
  }
  stream << '\n';
}

void write_star_list(std::ostream& stream, const StarTable& table, StarRow fields) {
  stream << "\ndata_" << table.name << "\n\n";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    stream << '_' << table.columns[i] << ' ';
    write_field(stream, fields[i]);
    stream << '\n';
  }
}

}  // namespace cryoscape::io
