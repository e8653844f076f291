#include "cryoscape/simulation/truth.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "cryoscape/io/star.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::simulation {
namespace {

const std::array<std::string, 5> kColumns{"rlnImageName", "cryoscapeTruthModel", "cryoscapeTruthState",
                                          "cryoscapeTruthJunk", "cryoscapeTruthBound"};
/// Files of before it was known lack it.
const std::string kWrongMolecule = "cryoscapeTruthWrongMolecule";

double number(const std::filesystem::path& path, std::size_t row, const std::string& column,
              std::string_view field) {
  const std::string text(field);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0')
    fail("{}, row {}: _{} is '{}', not a number", path.string(), row + 1, column, text);
  return value;
}

}  // namespace

Truth read_truth(const std::filesystem::path& path) {
  Truth out;
  bool found = false;
  std::array<int, kColumns.size()> at{};
  int wrong_at = -1;
  io::StarVisitor visitor;
  visitor.table = [&](const io::StarTable& table) {
    if (table.name != "truth") return false;
    found = true;
    for (std::size_t c = 0; c < kColumns.size(); ++c) {
      at[c] = table.column(kColumns[c]);
      if (at[c] < 0) fail("{}: data_truth has no column _{}", path.string(), kColumns[c]);
    }
    wrong_at = table.column(kWrongMolecule);
    return true;
  };
  visitor.row = [&](const io::StarTable&, io::StarRow fields, std::size_t row) {
    const auto value = [&](std::size_t c) { return number(path, row, kColumns[c], fields[at[c]]); };
    out.image_name.emplace_back(fields[at[0]]);
    out.model.push_back(value(1));
    out.state.push_back(static_cast<int>(value(2)));
    out.junk.push_back(value(3) != 0);
    out.bound.push_back(value(4));
    out.wrong_molecule.push_back(wrong_at >= 0 && number(path, row, kWrongMolecule, fields[wrong_at]) != 0);
  };
  io::read_star(path, visitor);
  if (!found) fail("{}: no table data_truth, so this is not a truth file of simulate", path.string());
  return out;
}

void write_truth(const std::filesystem::path& path, const Truth& truth) {
  replace_file_stream(path, [&](std::ostream& stream) {
    io::StarTable table;
    table.name = "truth";
    table.columns.assign(kColumns.begin(), kColumns.end());
    table.columns.push_back(kWrongMolecule);
    io::write_star_head(stream, table);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const std::array<std::string, kColumns.size() + 1> text{
          truth.image_name[i],
          fmt::format("{:.6f}", truth.model[i]),
          fmt::format("{}", truth.state[i]),
          truth.junk[i] ? "1" : "0",
          std::isfinite(truth.bound[i]) ? fmt::format("{:.6f}", truth.bound[i]) : "nan",
          truth.wrong_molecule[i] ? "1" : "0"};
      std::array<std::string_view, kColumns.size() + 1> views;
      for (std::size_t c = 0; c < views.size(); ++c) views[c] = text[c];
      io::write_star_row(stream, views);
    }
  });
}

}  // namespace cryoscape::simulation
